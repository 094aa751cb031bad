/* See unwind.h. */
#define _GNU_SOURCE
#include "unwind.h"
#include "../runtime/runtime.h"
#include "../runtime/scheduler.h"
#include "../runtime/switch.h"
#include "cfi.h"
#include <signal.h>
#include <string.h>
#include <ucontext.h>

enum { ATTEMPTS = 8, RED_ZONE = 128 };

static bool is_on(const struct goroutine *g, uintptr_t sp) { return g && sp - (uintptr_t)g->stack_low < (uintptr_t)(g->stack_high - g->stack_low); }

/* The bounds of the calling thread's stack that holds sp. Where they are not known (a plain thread that never called leat), the tables are
 * trusted, as every unwinder does. */
static void set_bounds(struct frame *f) {
  uintptr_t sp = f->r[REGISTER_SP];
  struct worker *w = leat_i_worker();
  const struct goroutine *g = w ? load_relaxed(&w->current) : leat_i_foreign_known();
  if (w && !is_on(g, sp)) g = w->idle;
  f->low = sp - RED_ZONE; /* between its last pop and its return, what a function saved lies there */
  f->high = UINTPTR_MAX;
  stack_t other;
  if (is_on(g, sp)) {
    f->low = (uintptr_t)g->stack_low;
    f->high = (uintptr_t)g->stack_high;
  } else if (sigaltstack(NULL, &other) == 0 && other.ss_flags & SS_ONSTACK && sp - (uintptr_t)other.ss_sp < other.ss_size) {
    f->low = (uintptr_t)other.ss_sp;
    f->high = f->low + other.ss_size;
  }
}

/* From this frame on; if `live`, on the calling thread's own stacks. */
static int walk(struct frame *f, bool live, uintptr_t *pcs, int max, int skip) {
  for (int n = 0; n < max;) {
    if (--skip < 0) pcs[n++] = f->pc + f->exact;
    enum step step = n < max ? leat_i_cfi_step(f) : STEP_NONE;
    if (step == STEP_NONE) return n;
    if (step == STEP_INTERRUPTED && live) set_bounds(f);
  }
  return 0;
}

/* The registers that matter, as they are in the middle of this function. */
#if defined(__x86_64__)
#define CAPTURE(f) \
  __asm__ volatile("movq %%rbx, 24(%1)\n\tmovq %%rbp, 48(%1)\n\tmovq %%rsp, 56(%1)\n\tmovq %%r12, 96(%1)\n\tmovq %%r13, 104(%1)\n\t" \
                   "movq %%r14, 112(%1)\n\tmovq %%r15, 120(%1)\n\tleaq 0f(%%rip), %%rax\n\tmovq %%rax, %0\n0:" \
                   : "=m"((f)->pc) : "r"((f)->r) : "rax", "memory")
static const uint64_t CAPTURED = 1 << 3 | 1 << 6 | 1 << 7 | 0xf << 12;
#else
#define CAPTURE(f) \
  __asm__ volatile("stp x19, x20, [%1, #152]\n\tstp x21, x22, [%1, #168]\n\tstp x23, x24, [%1, #184]\n\tstp x25, x26, [%1, #200]\n\t" \
                   "stp x27, x28, [%1, #216]\n\tstp x29, x30, [%1, #232]\n\tmov x9, sp\n\tstr x9, [%1, #248]\n\tadr x9, 0f\n\tstr x9, %0\n0:" \
                   : "=m"((f)->pc) : "r"((f)->r) : "x9", "memory")
static const uint64_t CAPTURED = UINT64_C(0x1fff) << 19;
#endif

__attribute__((noinline)) int leat_i_unwind_here(uintptr_t *pcs, int max, int skip) {
  struct frame f;
  CAPTURE(&f);
  f.known = CAPTURED;
  f.exact = true;
  set_bounds(&f);
  return leat_i_cfi_step(&f) == STEP_NONE ? 0 : walk(&f, true, pcs, max, skip);
}

int leat_i_unwind_context(const void *context, uintptr_t *pcs, int max) {
  const ucontext_t *u = context;
  struct frame f = {.known = ~UINT64_C(0), .exact = true};
#if defined(__x86_64__)
  static const uint8_t order[] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
  for (int i = 0; i < REGISTERS; i++) f.r[i] = (uintptr_t)u->uc_mcontext.gregs[order[i]];
  f.pc = f.r[REGISTER_RA];
#else
  for (int i = 0; i < 31; i++) f.r[i] = u->uc_mcontext.regs[i];
  f.r[REGISTER_SP] = u->uc_mcontext.sp;
  f.pc = u->uc_mcontext.pc;
#endif
  set_bounds(&f);
  return walk(&f, true, pcs, max, 0);
}

static bool is_at_rest(const struct goroutine *g) {
  return is_waiting(load_acquire(&((struct goroutine *)g)->wait)) || (g->kind != KIND_FOREIGN && !leat_i_is_on_worker(g));
}
static int64_t rests_since(const struct goroutine *g) { return load_acquire(&((struct goroutine *)g)->since); }

static int unwind_saved(const struct goroutine *g, uintptr_t *pcs, int max) {
  static const uint8_t saved[] = {SAVED_REGISTERS};
  uintptr_t sp = peek((uintptr_t)&g->sp);
  struct frame f = {.low = sp, .high = (uintptr_t)g->stack_high};
  if (sp < (uintptr_t)g->stack_low || sp > f.high - SAVED_SIZE) return 0;
  for (size_t i = 0; i < sizeof saved; i++) {
    f.r[saved[i]] = peek(sp + 8 * i);
    f.known |= UINT64_C(1) << saved[i];
  }
  f.r[REGISTER_SP] = sp + SAVED_SIZE;
  f.known |= UINT64_C(1) << REGISTER_SP;
  f.pc = f.r[REGISTER_RA];
  return f.pc == (uintptr_t)leat_i_switch_entry ? 0 : walk(&f, false, pcs, max, 0);
}

int leat_i_unwind_goroutine(struct goroutine *g, uintptr_t *pcs, int max) {
  for (int i = 0; i < ATTEMPTS; i++) {
    /* At rest before and after, and not put down anew until after that: so its stack has been left alone in between. */
    int64_t before = rests_since(g);
    if (!before || !is_at_rest(g)) return 0;
    int n = unwind_saved(g, pcs, max);
    atomic_thread_fence(memory_order_acquire);
    if (is_at_rest(g) && rests_since(g) == before) return n;
  }
  return 0;
}
