/* See happens.h. Only in the build for user programs under TSan, in which free and realloc have these names (src/meson.build). */
#define _GNU_SOURCE
#undef free
#undef realloc
#include "happens.h"
#include <link.h>
#include <stdlib.h>

void AnnotateBenignRaceSized(const char *file, int line, const volatile void *address, size_t size, const char *why);

void leat_i_quiet_free(void *memory);
void *leat_i_quiet_realloc(void *memory, size_t size);

/* TSan takes an allocation for a write, and the free of it by another goroutine for a second one. What is leat's own goes from hand to hand
 * under locks that TSan does not see. */
void leat_i_quiet_free(void *memory) { quietly free(memory); }

void *leat_i_quiet_realloc(void *memory, size_t size) {
  void *moved = NULL;
  quietly moved = realloc(memory, size);
  return moved;
}

static int is_shared(struct dl_phdr_info *module, size_t size, void *unused) {
  (void)size, (void)unused;
  for (int i = 0; module->dlpi_tls_data && i < module->dlpi_phnum; i++)
    if (module->dlpi_phdr[i].p_type == PT_TLS)
      AnnotateBenignRaceSized(__FILE__, __LINE__, module->dlpi_tls_data, module->dlpi_phdr[i].p_memsz, "goroutines take turns on a thread");
  return 0;
}

void leat_i_happens_on_thread(void) { dl_iterate_phdr(is_shared, NULL); }
