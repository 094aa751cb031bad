/* See switch.h. */
#if defined(__x86_64__)
.macro save_registers
  pushq %rbp
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbp, 0
  pushq %rbx
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbx, 0
  pushq %r12
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r12, 0
  pushq %r13
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r13, 0
  pushq %r14
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r14, 0
  pushq %r15
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r15, 0
.endm
.macro restore_registers
  popq %r15
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r15
  popq %r14
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r14
  popq %r13
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r13
  popq %r12
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r12
  popq %rbx
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbx
  popq %rbp
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbp
.endm

  .text
  .globl leat_i_switch
  .hidden leat_i_switch
  .type leat_i_switch, @function
  .p2align 4
leat_i_switch:
  .cfi_startproc
  endbr64
  save_registers
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  restore_registers
  ret
  .cfi_endproc
  .size leat_i_switch, .-leat_i_switch

  .globl leat_i_switch_away
  .hidden leat_i_switch_away
  .type leat_i_switch_away, @function
  .p2align 4
leat_i_switch_away:
  .cfi_startproc
  endbr64
  movq %rdi, %rsp
  .cfi_adjust_cfa_offset 48
  .cfi_rel_offset %rbp, 40
  .cfi_rel_offset %rbx, 32
  .cfi_rel_offset %r12, 24
  .cfi_rel_offset %r13, 16
  .cfi_rel_offset %r14, 8
  .cfi_rel_offset %r15, 0
  restore_registers
  popq %rcx
  .cfi_adjust_cfa_offset -8
  .cfi_register %rip, %rcx
  notrack jmp *%rcx /* a return would be predicted to where this was called, always in vain */
  .cfi_endproc
  .size leat_i_switch_away, .-leat_i_switch_away

  .globl leat_i_switch_first
  .hidden leat_i_switch_first
  .type leat_i_switch_first, @function
  .p2align 4
leat_i_switch_first:
  .cfi_startproc
  endbr64
  save_registers
  movq %rsp, (%rdi)
  leaq 56(%rsi), %rsp
  .cfi_undefined %rip
  movq 32(%rsi), %rbx /* leat_i_switch would take all of them from there */
  xorl %r12d, %r12d
  xorl %r13d, %r13d
  xorl %r14d, %r14d
  xorl %r15d, %r15d
  jmp leat_i_switch_entry
  .cfi_endproc
  .size leat_i_switch_first, .-leat_i_switch_first

  .globl leat_i_switch_hold
  .hidden leat_i_switch_hold
  .type leat_i_switch_hold, @function
  .p2align 4
leat_i_switch_hold:
  .cfi_startproc
  endbr64
  save_registers
  movq %rsp, (%rdi)
  movq %rdx, %rdi
  subq $8, %rsp
  .cfi_adjust_cfa_offset 8
  call *%rsi
  addq $56, %rsp /* the registers are as they were: fn preserves them */
  .cfi_adjust_cfa_offset -56
  .cfi_restore %rbp
  .cfi_restore %rbx
  .cfi_restore %r12
  .cfi_restore %r13
  .cfi_restore %r14
  .cfi_restore %r15
  ret
  .cfi_endproc
  .size leat_i_switch_hold, .-leat_i_switch_hold

/* The first return address of a goroutine. It is the end of the stack for unwinders: its own return address is undefined. */
  .globl leat_i_switch_entry
  .hidden leat_i_switch_entry
  .type leat_i_switch_entry, @function
  .p2align 4
  nop
leat_i_switch_entry:
  .cfi_startproc
  .cfi_undefined %rip
  endbr64
  movq %rbx, %rdi
  xorl %ebp, %ebp
  call leat_i_goroutine_main
  ud2
  .cfi_endproc
  .size leat_i_switch_entry, .-leat_i_switch_entry

#elif defined(__aarch64__)
  .text
  .globl leat_i_switch
  .hidden leat_i_switch
  .type leat_i_switch, %function
  .p2align 4
leat_i_switch:
  .cfi_startproc
  hint #34
  sub sp, sp, #160
  .cfi_adjust_cfa_offset 160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  .cfi_rel_offset x19, 0
  .cfi_rel_offset x20, 8
  .cfi_rel_offset x21, 16
  .cfi_rel_offset x22, 24
  .cfi_rel_offset x23, 32
  .cfi_rel_offset x24, 40
  .cfi_rel_offset x25, 48
  .cfi_rel_offset x26, 56
  .cfi_rel_offset x27, 64
  .cfi_rel_offset x28, 72
  .cfi_rel_offset x29, 80
  .cfi_rel_offset x30, 88
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  .cfi_adjust_cfa_offset -160
  ret
  .cfi_endproc
  .size leat_i_switch, .-leat_i_switch

  .globl leat_i_switch_away
  .hidden leat_i_switch_away
  .type leat_i_switch_away, %function
  .p2align 4
leat_i_switch_away:
  .cfi_startproc
  hint #34
  mov sp, x0
  .cfi_adjust_cfa_offset 160
  .cfi_rel_offset x19, 0
  .cfi_rel_offset x20, 8
  .cfi_rel_offset x21, 16
  .cfi_rel_offset x22, 24
  .cfi_rel_offset x23, 32
  .cfi_rel_offset x24, 40
  .cfi_rel_offset x25, 48
  .cfi_rel_offset x26, 56
  .cfi_rel_offset x27, 64
  .cfi_rel_offset x28, 72
  .cfi_rel_offset x29, 80
  .cfi_rel_offset x30, 88
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  .cfi_adjust_cfa_offset -160
  ret
  .cfi_endproc
  .size leat_i_switch_away, .-leat_i_switch_away

  .globl leat_i_switch_first
  .hidden leat_i_switch_first
  .type leat_i_switch_first, %function
  .p2align 4
leat_i_switch_first:
  .cfi_startproc
  hint #34
  b leat_i_switch
  .cfi_endproc
  .size leat_i_switch_first, .-leat_i_switch_first

  .globl leat_i_switch_hold
  .hidden leat_i_switch_hold
  .type leat_i_switch_hold, %function
  .p2align 4
leat_i_switch_hold:
  .cfi_startproc
  hint #34
  sub sp, sp, #160
  .cfi_adjust_cfa_offset 160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  .cfi_rel_offset x29, 80
  .cfi_rel_offset x30, 88
  mov x9, sp
  str x9, [x0]
  mov x0, x2
  blr x1
  ldp x29, x30, [sp, #80]
  add sp, sp, #160
  .cfi_adjust_cfa_offset -160
  .cfi_restore x29
  .cfi_restore x30
  ret
  .cfi_endproc
  .size leat_i_switch_hold, .-leat_i_switch_hold

  .globl leat_i_switch_entry
  .hidden leat_i_switch_entry
  .type leat_i_switch_entry, %function
  .p2align 4
  nop
leat_i_switch_entry:
  .cfi_startproc
  .cfi_undefined x30
  hint #34
  mov x0, x19
  mov x29, xzr
  bl leat_i_goroutine_main
  brk #1
  .cfi_endproc
  .size leat_i_switch_entry, .-leat_i_switch_entry
#else
#error "leat: no context switch for this processor; src/runtime/switch.S needs one"
#endif
  .section .note.GNU-stack, "", %progbits
