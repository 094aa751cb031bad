/* The wait-for analysis: which goroutines can never be woken, because everybody who could is stuck, too.
 *
 * After the leak profile of Go 1.26 (which marks from the goroutines that can run; Saioc and others), done conservatively for C. Whoever can
 * go on is alive: what runs or is runnable, what waits for time, a descriptor or a signal, and plain threads. What the living can reach
 * (memory.h) they may send on, unlock, count back; so who waits for that is alive as well, and what he can reach, until nothing new is found.
 * Where it is known who alone ends a wait, reaching does not count: a mutex's owner, the goroutines that a join waits for. Who is left is
 * stuck.
 *
 * A second pass tells how sure that is. In it everything counts that might yet end a wait: cancellation by the owner of a scope around it, by
 * a failure of a goroutine in such a scope, by anybody who can reach that scope; an unlock by somebody other than the owner; references from
 * memory that nobody is seen to refer to (as the kernel may: epoll's data), from a stack into which somebody living has a pointer; and
 * registers of what runs just now, which nobody can see. Who is not woken by any of these either is stuck for certain; the others are
 * suspected.
 *
 * The world is stopped meanwhile (runtime/world.h). At the end all goroutines are looked at again, and if any has run the analysis is done
 * once more, or nothing of it is certain. */
#pragma once
#include "../runtime/goroutine.h"
#include "memory.h"
#include <leat/finder.h>

/* Why somebody is only suspected. */
enum doubt {
  DOUBT_NONE,
  DOUBT_CANCEL,    /* `scope` may be cancelled */
  DOUBT_REFERENCE, /* something refers to what it waits for */
  DOUBT_REGISTERS, /* somebody runs, and may */
  DOUBT_UNLOCK,    /* its owner is stuck or has ended; another might unlock it */
  DOUBT_JOIN,      /* those it waits for are only suspected themselves */
  DOUBT_MOVED,     /* somebody ran during the analysis */
};

struct finding {
  bool certain;
  enum doubt doubt;
  uint64_t id, since;
  uint8_t kind;
  const char *name, *birthplace;
  enum wait_reason reason;
  const void *object;
  const char *object_birthplace; /* NULL: it has none */
  size_t more;                   /* channels of a select besides that one */
  uint64_t other;                /* the goroutine in its way: a lock's owner, one that is joined; 0: none is known */
  const char *other_name;
  bool other_is_gone;
  const char *scope_birthplace;  /* with DOUBT_CANCEL */
};

/* Fills the list with struct finding, in the order of their numbers. LEAT_OK or LEAT_NOMEM. */
int leat_i_find_waits(struct list *findings);
