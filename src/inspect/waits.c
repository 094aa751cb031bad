/* See waits.h. */
#define _GNU_SOURCE
#include "waits.h"
#include "../core/channel.h"
#include "../core/mutex.h"
#include "../core/once.h"
#include "../core/rwmutex.h"
#include "../core/scope.h"
#include "../core/select.h"
#include "../core/time.h"
#include "../runtime/poller.h"
#include "../runtime/runtime.h"
#include "../runtime/scheduler.h"
#include "../runtime/world.h"
#include "addresses.h"
#include "finder.h"
#include "threads.h"
#include <dirent.h>
#include <fcntl.h>
#include <leat/status.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TRIES = 3, WINDOW = 512, MOST_FOLLOWED = 4 };
static const int64_t PATIENCE = LEAT_MS(20);

/* ---- what is looked at ---- */

/* A goroutine, or a plain thread that uses leat, as it was when it was looked at. */
struct subject {
  uintptr_t low, high; /* its stack; first, for sorting */
  const struct goroutine *g;
  uint64_t id;
  int64_t since;
  uintptr_t sp; /* from here on its stack counts */
  const char *name, *birthplace;
  uint8_t kind;
  enum wait_reason reason; /* WAIT_NOTHING: it runs, or is runnable */
  bool timed, service, masked, running, fails;
  uint32_t floor;
  const void *object;
  struct scope *scope, *base;
  struct leat_task *task;
  struct leat_waitgroup *waitgroup;
  const struct hold *holds;
  size_t first_use, uses;  /* of objects */
  bool live, maybe;
  bool touched;            /* somebody living has a pointer into its stack */
  enum doubt doubt;
  struct scope_seen *cancelled_by;
  struct subject *other; /* in whose hands its wake is, or NULL */
  uint64_t other_id;     /* the same, also if he has ended; 0: nobody's alone */
};

struct scope_seen {
  uintptr_t at;
  struct scope copy;
  int marks;
  size_t tasks, members, live_tasks, live_members, maybe_tasks, maybe_members; /* goroutines in it, and in contexts whose home it is */
  size_t live_fails, maybe_fails;                                              /* those that can fail, and so cancel it */
  struct scope *follows[MOST_FOLLOWED];
  bool hook_reached;
};

struct object {
  uintptr_t at;
  int marks; /* of those that lie in a stack */
};

struct analysis {
  struct memory memory;
  struct list subjects, scopes, objects, uses;
  struct addresses scope_set, object_set, windows, by_id, by_goroutine, done_set; /* the last: of channels, their scopes */
  int level;            /* MARK_LIVE, then MARK_STUCK, then MARK_MAYBE */
  bool anybody, blind, runs;
  uintptr_t here;       /* the caller's stack pointer */
  uintptr_t main_stack; /* where it began */
};

static struct subject *subject_at(struct analysis *a, size_t i) { return (struct subject *)a->subjects.items + i; }
static struct scope_seen *scope_at(struct analysis *a, size_t i) { return (struct scope_seen *)a->scopes.items + i; }
static struct object *object_at(struct analysis *a, size_t i) { return (struct object *)a->objects.items + i; }

static bool is_parked(const struct goroutine *g) { return is_waiting(load_seq(&g->wait)) && load_relaxed(&g->reason) != WAIT_NOTHING; }

/* Of one that runs it may be out of date: then nothing is certain. */
static __attribute__((noinline, no_sanitize("thread"))) void copy_what_counts(struct analysis *a, const struct goroutine *g, struct subject *s) {
  uint32_t floor = load_relaxed(&g->wait) >> 2;
  bool parked = is_parked(g);
  *s = (struct subject){.low = (uintptr_t)g->stack_low, .high = (uintptr_t)g->stack_high, .g = g, .id = g->id, .since = load_acquire(&g->since),
                        .sp = (uintptr_t)g->sp, .name = g->name, .birthplace = g->birthplace, .kind = g->kind,
                        .reason = parked ? load_relaxed(&g->reason) : WAIT_NOTHING, .timed = load_relaxed(&g->timed), .service = g->service,
                        .masked = floor == WAIT_MASKED_FLOOR, .floor = floor, .fails = g->fn && g->fn->fails, .object = load_relaxed(&g->waits_for),
                        .scope = g->scope, .base = g->base, .task = g->task, .waitgroup = g->waitgroup, .holds = g->holds};
  s->running = !parked && (g->kind == KIND_FOREIGN || leat_i_is_on_worker(g));
  if (g == leat_i_foreign_known() || (leat_i_worker() && g == leat_i_self())) {
    s->sp = a->here;
    s->running = false; /* its registers are on its stack */
  } else if (s->running || s->sp < s->low || s->sp > s->high) {
    s->sp = s->low;
  }
  if (g->kind == KIND_MAIN) s->high = (uintptr_t)g->args;
  if (s->low <= a->main_stack && a->main_stack < s->high) s->high = a->main_stack;
  if (s->running) a->runs = true;
}

static void note(struct goroutine *g, void *environment) {
  struct analysis *a = environment;
  struct subject *s = leat_i_list_add(&a->subjects, sizeof *s);
  if (s) copy_what_counts(a, g, s);
  else a->memory.failed = true;
}

/* Where the main thread's stack began: above lie the arguments and the environment, into which libc's data has pointers. */
static uintptr_t start_of_main_stack(void) {
  char text[1024];
  int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  text[n < 0 ? 0 : n] = 0;
  const char *at = strrchr(text, ')'); /* the end of the program's name, which may hold anything */
  unsigned long start = 0;
  if (!at || sscanf(at + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu", &start) != 1) return 0;
  return start;
}

static void announce_slab(char *low, char *high, void *environment) {
  leat_i_memory_stack(&((struct analysis *)environment)->memory, (uintptr_t)low, (uintptr_t)high);
}

/* ---- scopes, channels, timers ---- */

static struct scope_seen *seen_scope(struct analysis *a, uintptr_t at) {
  bool fresh;
  if (!at) return NULL;
  size_t *value = leat_i_addresses_find(&a->scope_set, at, &fresh);
  if (!fresh) return *value ? scope_at(a, *value - 1) : NULL;
  struct scope copy;
  if (!leat_i_memory_read(&a->memory, at, &copy, sizeof copy)) return NULL;
  struct scope_seen *s = leat_i_list_add(&a->scopes, sizeof *s);
  if (!s) {
    a->memory.failed = true;
    return NULL;
  }
  *value = a->scopes.n;
  s->at = at;
  s->copy = copy;
  leat_i_memory_hole(&a->memory, at, at + sizeof copy);
  struct extra extra;
  struct extra *at_extra = load_relaxed(&copy.extra);
  if (at_extra && leat_i_memory_read(&a->memory, (uintptr_t)at_extra, &extra, sizeof extra)) {
    struct chan *done = load_relaxed(&extra.done);
    if (done) *leat_i_addresses_find(&a->done_set, (uintptr_t)done, &fresh) = a->scopes.n - 1;
    struct follow f;
    struct follow *next = load_relaxed(&extra.follows);
    for (int i = 0; i < MOST_FOLLOWED && next && leat_i_memory_read(&a->memory, (uintptr_t)next, &f, sizeof f); next = f.next) s->follows[i++] = f.followed;
    leat_i_memory_hole(&a->memory, (uintptr_t)at_extra, (uintptr_t)(at_extra + 1));
  }
  return s;
}

static void see_scopes(struct analysis *a) {
  for (size_t i = 0; i < a->subjects.n; i++) {
    seen_scope(a, (uintptr_t)subject_at(a, i)->scope);
    seen_scope(a, (uintptr_t)subject_at(a, i)->base);
    if (subject_at(a, i)->reason == WAIT_SCOPE) seen_scope(a, (uintptr_t)subject_at(a, i)->object);
  }
  for (size_t i = 0; i < a->scopes.n; i++) { /* the list grows meanwhile */
    struct scope copy = scope_at(a, i)->copy;
    seen_scope(a, (uintptr_t)copy.parent);
    seen_scope(a, (uintptr_t)copy.children);
    seen_scope(a, (uintptr_t)copy.next_sibling);
    for (int k = 0; k < MOST_FOLLOWED; k++) seen_scope(a, (uintptr_t)scope_at(a, i)->follows[k]);
  }
}

/* Of the block at this address only the range counts. */
static void only(struct analysis *a, const void *block, const void *from, size_t size) {
  leat_i_memory_part(&a->memory, (uintptr_t)block, (struct range){(uintptr_t)from, (uintptr_t)from + size}, (struct range){0});
}
static void ours(struct analysis *a, const void *block) { only(a, block, NULL, 0); }

/* Of a channel only what is buffered counts: the rest refers to other channels and to those who wait. Who has its timer may have that send. */
static void see_channel(struct analysis *a, uintptr_t at, struct chan *copy) {
  if (!leat_i_memory_read(&a->memory, at, copy, sizeof *copy)) {
    memset(copy, 0, sizeof *copy);
    return;
  }
  if (copy->timer) only(a, copy->timer, &copy->timer->chan, sizeof copy->timer->chan);
  uintptr_t buffer = (uintptr_t)copy->buffer;
  size_t n = load_relaxed(&copy->n), size = copy->elem_size, first = n < copy->capacity - copy->head ? n : copy->capacity - copy->head;
  struct range head = {buffer + copy->head * size, buffer + (copy->head + first) * size}, rest = {buffer, buffer + (n - first) * size};
  leat_i_memory_part(&a->memory, at, head, rest);
}

static void see_holds(struct analysis *a, const struct hold *h) {
  struct hold copy;
  for (; h && leat_i_memory_read(&a->memory, (uintptr_t)h, &copy, sizeof copy); h = copy.next) ours(a, h);
}

static void see_belongings(struct analysis *a) {
  for (size_t i = 0; i < a->scopes.n; i++) {
    struct scope *s = &scope_at(a, i)->copy;
    struct chan c;
    for (struct chan *at = s->chans; at; at = c.scope_next) see_channel(a, (uintptr_t)at, &c);
    struct function_timer t;
    for (struct function_timer *at = s->timers; at && leat_i_memory_read(&a->memory, (uintptr_t)at, &t, sizeof t); at = t.next)
      only(a, at, at->args, t.fn->size);
    see_holds(a, s->held);
  }
  for (size_t i = 0; i < a->subjects.n; i++) {
    struct subject *s = subject_at(a, i);
    see_holds(a, s->holds);
    if (s->kind == KIND_FOREIGN) ours(a, s->g);
  }
  for (struct worker *w = load_acquire(&leat_i_sched.all); w; w = w->all_next) ours(a, w);
}

/* The next scope above whose joins count whoever is counted in this one: up to the home of a context. */
static struct scope_seen *joining(struct analysis *a, struct scope_seen *s) {
  return s->copy.kind == SCOPE_BLOCK ? NULL : seen_scope(a, (uintptr_t)s->copy.parent);
}

static void runs_by_itself(struct analysis *a, struct scope_seen *in, const struct function_timer *at, const struct function_timer *copy) {
  if (load_relaxed(&copy->timer.timer.state) == TIMER_IDLE) return;
  leat_i_memory_scan(&a->memory, (uintptr_t)at->args, (uintptr_t)at->args + copy->fn->size, MARK_LIVE);
  for (struct scope_seen *s = in; s && copy->fn->fails; s = joining(a, s)) s->live_fails++;
}

/* What will happen by itself: armed timers send, or start a function. */
static void reach_armed_timers(struct analysis *a) {
  for (size_t i = 0; i < a->scopes.n; i++) {
    struct chan c;
    for (struct chan *at = scope_at(a, i)->copy.chans; at && leat_i_memory_read(&a->memory, (uintptr_t)at, &c, sizeof c); at = c.scope_next) {
      struct leat_timer t;
      if (c.timer && leat_i_memory_read(&a->memory, (uintptr_t)c.timer, &t, sizeof t) && load_relaxed(&t.timer.state) != TIMER_IDLE)
        leat_i_memory_reach(&a->memory, (uintptr_t)at, MARK_LIVE);
    }
    struct function_timer f;
    for (struct function_timer *at = scope_at(a, i)->copy.timers; at && leat_i_memory_read(&a->memory, (uintptr_t)at, &f, sizeof f); at = f.next)
      runs_by_itself(a, scope_at(a, i), at, &f);
  }
}

static void use(struct analysis *a, struct subject *s, const void *object) {
  bool fresh;
  size_t *value = leat_i_addresses_find(&a->object_set, (uintptr_t)object, &fresh);
  if (fresh) {
    struct object *o = leat_i_list_add(&a->objects, sizeof *o);
    if (!o) return;
    o->at = (uintptr_t)object;
    *value = a->objects.n - 1;
  }
  size_t *place = leat_i_list_add(&a->uses, sizeof *place);
  if (!place) return;
  *place = *value;
  if (!s->uses++) s->first_use = a->uses.n - 1;
}

static void see_objects(struct analysis *a) {
  for (size_t i = 0; i < a->subjects.n; i++) {
    struct subject *s = subject_at(a, i);
    struct select select;
    struct chan copy;
    if (s->reason == WAIT_SELECT) {
      if (!leat_i_memory_read(&a->memory, (uintptr_t)s->object, &select, sizeof select)) continue;
      leat_case k;
      for (size_t i_case = 0; i_case < select.n && leat_i_memory_read(&a->memory, (uintptr_t)&select.cases[i_case], &k, sizeof k); i_case++) {
        if ((k.leat_i_kind != LEAT_I_CASE_RECV && k.leat_i_kind != LEAT_I_CASE_SEND) || !k.leat_i_chan) continue;
        use(a, s, k.leat_i_chan);
        see_channel(a, (uintptr_t)k.leat_i_chan, &copy);
      }
    } else if (s->reason != WAIT_NOTHING && s->reason != WAIT_READ && s->reason != WAIT_WRITE && s->object) {
      use(a, s, s->object);
      if (s->reason == WAIT_SEND || s->reason == WAIT_RECV) see_channel(a, (uintptr_t)s->object, &copy);
    }
  }
}

/* ---- pointers into stacks ---- */

static int by_stack(const void *x, const void *y) {
  uintptr_t a = ((const struct subject *)x)->low, b = ((const struct subject *)y)->low;
  return a < b ? -1 : a > b;
}

static struct subject *subject_of_stack(struct analysis *a, uintptr_t address) {
  size_t low = 0, high = a->subjects.n;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (subject_at(a, middle)->low <= address) low = middle + 1;
    else high = middle;
  }
  struct subject *s = low ? subject_at(a, low - 1) : NULL;
  return s && address < s->high ? s : NULL;
}

static struct subject *subject_of_goroutine(struct analysis *a, const struct goroutine *g) {
  size_t *index = leat_i_addresses_get(&a->by_goroutine, (uintptr_t)g);
  return index ? subject_at(a, *index) : NULL;
}

static void mark_objects(struct analysis *a, uintptr_t low, uintptr_t high, int mark) {
  for (size_t i = 0; i < a->objects.n; i++)
    if (object_at(a, i)->at >= low && object_at(a, i)->at < high) object_at(a, i)->marks |= mark;
}

/* A struct on somebody's stack is handed down by its address. How large it is nobody knows: in the first pass a window from the pointer on
 * counts, in the last the whole stack. */
static void into_stack(void *environment, uintptr_t pointer, int mark) {
  struct analysis *a = environment;
  size_t *scope = leat_i_addresses_get(&a->scope_set, pointer);
  if (scope && *scope) {
    scope_at(a, *scope - 1)->marks |= mark;
    return;
  }
  struct subject *s = subject_of_stack(a, pointer);
  if (!s || s->live || (mark == MARK_MAYBE && s->maybe) || pointer < s->sp) return;
  if (!leat_i_addresses_add(&a->windows, pointer * 8 + (uintptr_t)mark)) return;
  uintptr_t low = pointer, high = s->high - pointer < WINDOW ? s->high : pointer + WINDOW;
  if (mark == MARK_LIVE) s->touched = true;
  if (mark == MARK_MAYBE) {
    if (!leat_i_addresses_add(&a->windows, s->low * 8)) return;
    low = s->sp;
    high = s->high;
  }
  mark_objects(a, low, high, mark);
  leat_i_memory_push(&a->memory, low & ~(uintptr_t)7, high);
}

/* ---- who can be woken ---- */

static bool at_level(const struct analysis *a, const struct subject *s) { return s && (s->live || (a->level == MARK_MAYBE && s->maybe)); }
static int marks_of_level(const struct analysis *a) { return a->level == MARK_MAYBE ? MARK_LIVE | MARK_MAYBE : MARK_LIVE; }

static bool is_reached(struct analysis *a, const struct object *o) {
  switch (leat_i_memory_place(&a->memory, o->at)) {
  case PLACE_BLOCK: return leat_i_memory_marks(&a->memory, o->at) & marks_of_level(a);
  case PLACE_DATA: return a->anybody;
  case PLACE_STACK: return o->marks & marks_of_level(a) || at_level(a, subject_of_stack(a, o->at));
  case PLACE_NONE: break;
  }
  return true; /* it lies where nobody looks: shared memory, say */
}

static struct subject *subject_by_id(struct analysis *a, uint64_t id) {
  size_t *index = leat_i_addresses_get(&a->by_id, id);
  return index ? subject_at(a, *index) : NULL;
}

static bool doubted(struct subject *s, enum doubt doubt) {
  s->doubt = doubt;
  return true;
}

/* Can somebody at this level cancel this very scope? */
static bool can_be_ended(struct analysis *a, struct scope_seen *scope) {
  const struct scope *s = &scope->copy;
  bool maybe = a->level == MARK_MAYBE;
  if (s->parent && s->kind != SCOPE_VALUE && scope->marks & marks_of_level(a)) return true; /* of those only views exist */
  if (maybe && a->blind && s->parent && s->kind != SCOPE_VALUE) return true;
  if (!s->keep_going && (scope->live_fails || (maybe && scope->maybe_fails))) return true;
  if (s->parent) return at_level(a, subject_of_goroutine(a, s->owner));
  struct subject *m = subject_of_goroutine(a, leat_i_main_goroutine()); /* the root ends with the main goroutine, or with the runtime */
  return m ? at_level(a, m) : a->anybody;
}

/* Calls fn for the scope, those above whose cancellation reaches it, and those it follows, until it answers true. */
static struct scope_seen *first_above(struct analysis *a, uintptr_t at, uint32_t floor, bool (*fn)(struct analysis *, struct scope_seen *)) {
  for (struct scope_seen *s = seen_scope(a, at), *next; s && s->copy.depth >= floor; s = next) {
    enum scope_shield shield = s->copy.shield;
    next = shield == SHIELD_FULL ? NULL : seen_scope(a, (uintptr_t)(shield ? s->copy.home : s->copy.parent));
    if (fn(a, s)) return s;
    for (int i = 0; i < MOST_FOLLOWED; i++) {
      struct scope_seen *f = s->follows[i] ? first_above(a, (uintptr_t)s->follows[i], 0, fn) : NULL;
      if (f) return f;
    }
  }
  return NULL;
}

static bool can_cancel(struct analysis *a, struct subject *s) {
  if (!s->masked) s->cancelled_by = first_above(a, (uintptr_t)s->scope, s->floor, can_be_ended);
  return s->cancelled_by != NULL;
}

static bool has_limit(struct analysis *a, struct scope_seen *s) {
  (void)a;
  return load_relaxed(&s->copy.deadline) != LEAT_NEVER;
}

static bool has_deadline(struct analysis *a, const struct subject *s) {
  return s->timed || (!s->masked && first_above(a, (uintptr_t)s->scope, s->floor, has_limit));
}

static bool ends_by_itself(struct analysis *a, struct scope_seen *s) { return has_limit(a, s) || can_be_ended(a, s); }

static bool any_reached(struct analysis *a, const struct subject *s) {
  for (size_t i = 0; i < s->uses; i++) {
    const struct object *o = object_at(a, ((size_t *)a->uses.items)[s->first_use + i]);
    size_t *done = leat_i_addresses_get(&a->done_set, o->at); /* a scope's done channel is closed by its cancellation, and by nothing else */
    if (done ? first_above(a, scope_at(a, *done)->at, 0, ends_by_itself) != NULL : is_reached(a, o)) return true;
  }
  return false;
}

/* By another that the wait is for: he can go on, or has ended just now. */
static bool by_other(struct analysis *a, struct subject *s, struct subject *other) {
  if (!other) return true;
  if (at_level(a, other)) return other->live || doubted(s, DOUBT_JOIN);
  s->other = other;
  s->other_id = other->id;
  return false;
}

static bool by_joined(struct analysis *a, struct subject *s) {
  struct scope_seen *scope = seen_scope(a, (uintptr_t)s->object);
  if (!scope) return true;
  bool all = scope->copy.join_all;
  size_t n = all ? scope->members : scope->tasks, live = all ? scope->live_members : scope->live_tasks, maybe = all ? scope->maybe_members : scope->maybe_tasks;
  if (live == n) return true;
  if (a->level == MARK_MAYBE && live + maybe == n) return doubted(s, DOUBT_JOIN);
  return false;
}

static bool by_object(struct analysis *a, struct subject *s) {
  if (a->level == MARK_MAYBE && a->blind && s->uses) return doubted(s, DOUBT_REGISTERS);
  return any_reached(a, s) && (a->level == MARK_LIVE || doubted(s, DOUBT_REFERENCE));
}

static struct subject *of_task(struct analysis *a, const void *task) {
  for (size_t i = 0; i < a->subjects.n; i++)
    if (subject_at(a, i)->task == task) return subject_at(a, i);
  return NULL;
}

/* By the goroutines that leat_waitgroup_go counted: all of them; if there are none, by whoever can reach it. */
static bool by_counted(struct analysis *a, struct subject *s) {
  bool any = false, sure = true;
  for (size_t i = 0; i < a->subjects.n; i++) {
    struct subject *member = subject_at(a, i);
    if (!member->waitgroup || member->waitgroup != s->object) continue;
    if (!by_other(a, s, member)) return false;
    any = true;
    sure &= member->live;
  }
  return any ? sure || doubted(s, DOUBT_JOIN) : by_object(a, s);
}

/* By the one who holds a lock, and at the second look by anybody who has a way to it: any goroutine may unlock. */
static bool by_holder(struct analysis *a, struct subject *s, uint64_t holder) {
  struct subject *other = subject_by_id(a, holder);
  if (at_level(a, other)) return other->live || doubted(s, DOUBT_JOIN);
  s->other = other;
  s->other_id = holder;
  return a->level == MARK_MAYBE && by_object(a, s) && doubted(s, DOUBT_UNLOCK);
}

static bool by_who_locked(struct analysis *a, struct subject *s) {
  leat_mutex copy;
  if (!leat_i_memory_read(&a->memory, (uintptr_t)s->object, &copy, sizeof copy)) return true;
  uint64_t holder = leat_i_mutex_owner(&copy);
  return !holder || by_holder(a, s, holder); /* free: it changes hands just now */
}

/* Who locked it to read is not recorded: then it is whoever has a way to it. */
static bool by_who_locked_rw(struct analysis *a, struct subject *s) {
  leat_rwmutex copy;
  if (!leat_i_memory_read(&a->memory, (uintptr_t)s->object, &copy, sizeof copy)) return true;
  uint64_t writer = leat_i_rwmutex_writer(&copy);
  return writer ? by_holder(a, s, writer) : by_object(a, s);
}

static bool by_who_runs_once(struct analysis *a, struct subject *s) {
  leat_once copy;
  if (!leat_i_memory_read(&a->memory, (uintptr_t)s->object, &copy, sizeof copy)) return true;
  return by_other(a, s, subject_of_goroutine(a, leat_i_once_owner(&copy)));
}

static bool by_what_it_waits_for(struct analysis *a, struct subject *s) {
  switch (s->reason) {
  case WAIT_NOTHING:
  case WAIT_SLEEP:
  case WAIT_READ:
  case WAIT_WRITE: return true;
  case WAIT_NIL: return false;
  case WAIT_SCOPE: return by_joined(a, s);
  case WAIT_TASK: return by_other(a, s, of_task(a, s->object));
  case WAIT_ONCE: return by_who_runs_once(a, s);
  case WAIT_MUTEX: return by_who_locked(a, s);
  case WAIT_READ_LOCK:
  case WAIT_WRITE_LOCK: return by_who_locked_rw(a, s);
  case WAIT_WAITGROUP: return by_counted(a, s);
  case WAIT_SEND: case WAIT_RECV: case WAIT_SELECT:
  case WAIT_COND: case WAIT_POOL: case WAIT_SEMAPHORE: case WAIT_EVENT: case WAIT_LIMITER: case WAIT_WRITER: case WAIT_WRITES:
  case WAIT_REASONS: break;
  }
  return by_object(a, s);
}

static bool can_be_woken(struct analysis *a, struct subject *s) {
  if (a->level == MARK_LIVE && has_deadline(a, s)) return true;
  if ((a->level == MARK_MAYBE || s->service) && can_cancel(a, s)) return doubted(s, DOUBT_CANCEL); /* a service is meant to end so */
  return by_what_it_waits_for(a, s);
}

static void reach_data_of(int fd, void *analysis);

/* There is somebody who can go on: he has the data of all modules. */
static void somebody_lives(struct analysis *a) {
  if (a->anybody) return;
  a->anybody = true;
  leat_i_memory_scan_data(&a->memory, MARK_LIVE);
  for (struct worker *w = load_acquire(&leat_i_sched.all); w; w = w->all_next) {
    char *from = load_acquire(&w->stack_from), *high = load_relaxed(&w->stack_high);
    if (from && from < high) leat_i_memory_scan(&a->memory, (uintptr_t)from, (uintptr_t)high, MARK_LIVE);
  }
  leat_i_numbers_in("/proc/self/fd", reach_data_of, a);
}

static void enter(struct analysis *a, struct subject *s) {
  bool live = a->level == MARK_LIVE;
  if (live) s->live = true;
  else s->maybe = true;
  if (live) somebody_lives(a);
  for (struct scope_seen *scope = seen_scope(a, (uintptr_t)s->base); scope; scope = joining(a, scope)) {
    *(live ? &scope->live_members : &scope->maybe_members) += 1;
    if (!s->service) *(live ? &scope->live_tasks : &scope->maybe_tasks) += 1;
    if (s->fails) *(live ? &scope->live_fails : &scope->maybe_fails) += 1;
  }
  leat_i_memory_scan(&a->memory, s->sp, s->high, a->level);
}

/* A function that a cancellation starts has its arguments. */
static bool reach_hooks(struct analysis *a) {
  bool changed = false;
  for (size_t i = 0; i < a->scopes.n; i++) {
    struct scope_seen *s = scope_at(a, i);
    if (s->copy.kind != SCOPE_HOOK || s->hook_reached || !first_above(a, (uintptr_t)s->copy.parent, 0, ends_by_itself)) continue;
    changed = s->hook_reached = true;
    leat_i_memory_reach(&a->memory, s->at, a->level);
  }
  return changed;
}

static void settle(struct analysis *a) {
  for (bool changed = true; changed && !a->memory.failed;) {
    changed = reach_hooks(a);
    for (size_t i = 0; i < a->subjects.n; i++) {
      struct subject *s = subject_at(a, i);
      if (s->live || s->maybe || !can_be_woken(a, s)) continue;
      enter(a, s);
      changed = true;
    }
  }
}

/* ---- what else there is ---- */

/* A thread that has nothing to do with leat, or has not yet. */
static void thread_is_alive(const struct thread *t, void *environment) {
  struct analysis *a = environment;
  for (size_t i = 0; i < a->subjects.n; i++)
    if (subject_at(a, i)->kind == KIND_FOREIGN && subject_at(a, i)->g->thread_id == t->tid) return;
  struct range mapping;
  a->blind = true;
  somebody_lives(a);
  if (t->sp && leat_i_memory_mapping(&a->memory, t->sp, &mapping)) leat_i_memory_scan(&a->memory, t->sp, mapping.high, MARK_LIVE);
  else leat_i_memory_scan_mappings(&a->memory, MARK_LIVE); /* its stack is one of them */
}

/* What the kernel hands out again: the data of epoll's entries, which it shows. */
static void reach_data_of(int fd, void *environment) {
  struct analysis *a = environment;
  char path[64], link[64], text[4096];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(path, link, sizeof link - 1);
  link[n < 0 ? 0 : n] = 0;
  if (strstr(link, "[io_uring]")) a->blind = true; /* which does not */
  int unread = 0;
  bool is_pipe = strncmp(link, "pipe:", 5) == 0 || strncmp(link, "socket:", 7) == 0;
  if (is_pipe && ioctl(fd, FIONREAD, &unread) == 0 && unread > 0) a->blind = true; /* it may be an address */
  if (!strstr(link, "[eventpoll]")) return;
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  size_t kept = 0;
  while (file >= 0 && (n = read(file, text + kept, sizeof text - 1 - kept)) > 0) {
    kept += (size_t)n;
    text[kept] = 0;
    char *line = text, *end;
    for (; (end = strchr(line, '\n')); line = end + 1) {
      *end = 0;
      char *data = strstr(line, "data:");
      if (data) leat_i_memory_reach(&a->memory, strtoull(data + 5, NULL, 16), MARK_LIVE);
    }
    kept -= (size_t)(line - text);
    memmove(text, line, kept);
  }
  if (file >= 0) close(file);
}

static void hide(const void *low, const void *high, void *environment) {
  if (low) leat_i_memory_hole(&((struct analysis *)environment)->memory, (uintptr_t)low, (uintptr_t)high);
}

static void look(struct analysis *a) {
  struct memory *m = &a->memory;
  leat_i_memory_open(m); /* first: it shall not see what is mapped for this */
  if (m->failed) return;
  a->main_stack = start_of_main_stack();
  leat_i_foreign_each(note, a);
  leat_i_stacks_each(note, a);
  if (a->subjects.n) qsort(a->subjects.items, a->subjects.n, sizeof(struct subject), by_stack);
  for (size_t i = 0; i < a->subjects.n; i++) {
    bool fresh;
    *leat_i_addresses_find(&a->by_goroutine, (uintptr_t)subject_at(a, i)->g, &fresh) = i;
    if (subject_at(a, i)->id) *leat_i_addresses_find(&a->by_id, subject_at(a, i)->id, &fresh) = i;
  }
  leat_i_stacks_each_slab(announce_slab, a);
  leat_i_threads_ours_stacks(announce_slab, a);
  for (struct worker *w = load_acquire(&leat_i_sched.all); w; w = w->all_next)
    if (load_acquire(&w->stack_from)) announce_slab(load_relaxed(&w->stack_low), load_relaxed(&w->stack_high), a);
  for (size_t i = 0; i < a->subjects.n; i++)
    if (subject_at(a, i)->kind != KIND_GOROUTINE) announce_slab(subject_at(a, i)->g->stack_low, subject_at(a, i)->g->stack_high, a);
  see_scopes(a);
  struct goroutine *main_goroutine = leat_i_main_goroutine();
  if (main_goroutine) hide(main_goroutine, main_goroutine + 1, a);
  hide(&leat_i_sched, &leat_i_sched + 1, a);
  leat_i_timers_memory(hide, a);
  leat_i_poller_memory(hide, a);
  leat_i_finder_memory(hide, a);
  leat_i_memory_seal(m);
  see_belongings(a);
  see_objects(a);
  for (size_t i = 0; i < a->subjects.n; i++) {
    struct subject *s = subject_at(a, i);
    for (struct scope_seen *scope = seen_scope(a, (uintptr_t)s->base); scope; scope = joining(a, scope)) {
      scope->members++;
      if (!s->service) scope->tasks++;
    }
  }
}

static bool any_certain(struct analysis *a) {
  for (size_t i = 0; i < a->subjects.n; i++)
    if (!at_level(a, subject_at(a, i))) return true;
  return false;
}

static void analyse(struct analysis *a) {
  struct memory *m = &a->memory;
  a->level = MARK_LIVE;
  for (size_t i = 0; i < a->subjects.n; i++) {
    struct subject *s = subject_at(a, i);
    if (s->reason == WAIT_NOTHING || s->reason == WAIT_SLEEP || s->reason == WAIT_READ || s->reason == WAIT_WRITE || has_deadline(a, s)) enter(a, s);
  }
  if (!leat_i_threads_each(thread_is_alive, a)) a->blind = true;
  a->blind |= a->runs;
  reach_armed_timers(a);
  settle(a);
  a->level = MARK_STUCK;
  for (size_t i = 0; i < a->subjects.n; i++)
    if (!subject_at(a, i)->live) leat_i_memory_scan(m, subject_at(a, i)->sp, subject_at(a, i)->high, MARK_STUCK);
  a->level = MARK_MAYBE;
  if (a->anybody) {
    leat_i_memory_scan_rest(m, MARK_STUCK, MARK_MAYBE);
    a->blind |= !m->complete;
    for (size_t i = 0; i < a->subjects.n; i++) {
      struct subject *s = subject_at(a, i);
      if (s->live || !s->touched || !leat_i_addresses_add(&a->windows, s->low * 8)) continue;
      mark_objects(a, s->sp, s->high, MARK_MAYBE);
      leat_i_memory_scan(m, s->sp, s->high, MARK_MAYBE);
    }
  }
  settle(a);
  if (a->anybody && any_certain(a)) {
    leat_i_memory_scan_unaligned(m, MARK_LIVE | MARK_MAYBE, MARK_MAYBE);
    for (size_t i = 0; i < a->subjects.n; i++)
      if (at_level(a, subject_at(a, i))) leat_i_memory_scan(m, subject_at(a, i)->sp, subject_at(a, i)->high, MARK_MAYBE);
    a->blind |= !m->complete;
    settle(a);
  }
}

/* ---- has anybody run meanwhile? ---- */

struct recheck {
  struct analysis *a;
  size_t n;
  bool same;
};

static void look_again(struct goroutine *g, void *environment) {
  struct recheck *r = environment;
  struct subject *s = subject_of_goroutine(r->a, g);
  r->n++;
  if (!s || s->id != g->id || (!s->live && !is_parked(g)) || s->since != load_acquire(&g->since) /* after that: see leat_i_is_on_worker */) r->same = false;
}

static bool nobody_ran(struct analysis *a) {
  struct recheck r = {a, 0, true};
  leat_i_foreign_each(look_again, &r);
  leat_i_stacks_each(look_again, &r);
  return r.same && r.n == a->subjects.n;
}

/* ---- findings ---- */

static int by_id(const void *x, const void *y) {
  uint64_t a = ((const struct finding *)x)->id, b = ((const struct finding *)y)->id;
  return a < b ? -1 : a > b;
}

static const char *birthplace_of(struct analysis *a, enum wait_reason reason, uintptr_t object) {
  struct chan c;
  struct scope s;
  switch (reason) {
  case WAIT_SEND:
  case WAIT_RECV:
  case WAIT_SELECT: return leat_i_memory_read(&a->memory, object, &c, sizeof c) ? c.birthplace : NULL;
  case WAIT_SCOPE: return leat_i_memory_read(&a->memory, object, &s, sizeof s) ? s.birthplace : NULL;
  default: return NULL;
  }
}

static void report(struct analysis *a, bool quiet, struct list *findings) {
  for (size_t i = 0; i < a->subjects.n; i++) {
    struct subject *s = subject_at(a, i);
    if (s->live) continue;
    struct finding *f = leat_i_list_add(findings, sizeof *f);
    if (!f) return;
    uintptr_t object = s->uses ? object_at(a, ((size_t *)a->uses.items)[s->first_use])->at : 0;
    *f = (struct finding){.certain = !s->maybe && quiet, .doubt = s->maybe ? s->doubt : quiet ? DOUBT_NONE : DOUBT_MOVED, .id = s->id, .since = (uint64_t)s->since,
                          .kind = s->kind, .name = s->name, .birthplace = s->birthplace, .reason = s->reason, .object = (const void *)object,
                          .object_birthplace = object ? birthplace_of(a, s->reason, object) : NULL, .more = s->uses ? s->uses - 1 : 0,
                          .other = s->other_id, .other_name = s->other ? s->other->name : NULL, .other_is_gone = s->other_id && !s->other,
                          .scope_birthplace = s->cancelled_by ? s->cancelled_by->copy.birthplace : NULL};
  }
}

static void close_analysis(struct analysis *a) {
  leat_i_memory_close(&a->memory);
  leat_i_list_free(&a->subjects, sizeof(struct subject));
  leat_i_list_free(&a->scopes, sizeof(struct scope_seen));
  leat_i_list_free(&a->objects, sizeof(struct object));
  leat_i_list_free(&a->uses, sizeof(size_t));
  leat_i_addresses_free(&a->scope_set);
  leat_i_addresses_free(&a->object_set);
  leat_i_addresses_free(&a->windows);
  leat_i_addresses_free(&a->by_id);
  leat_i_addresses_free(&a->by_goroutine);
  leat_i_addresses_free(&a->done_set);
}

/* With the caller's registers on its stack, above `here`. */
static __attribute__((noinline)) int find(struct list *findings) {
  int status = LEAT_OK;
  for (int i = 0; i < TRIES; i++) {
    struct analysis a = {.here = (uintptr_t)__builtin_frame_address(0)};
    a.memory.into_stack = into_stack;
    a.memory.environment = &a;
    leat_i_list_free(findings, sizeof(struct finding));
    leat_i_world_stop(PATIENCE);
    look(&a);
    if (!a.memory.failed) analyse(&a);
    bool quiet = nobody_ran(&a);
    if (!a.memory.failed) report(&a, quiet, findings);
    status = a.memory.failed ? LEAT_NOMEM : LEAT_OK;
    leat_i_world_go();
    close_analysis(&a);
    if (quiet || status) break;
  }
  if (findings->n) qsort(findings->items, findings->n, sizeof(struct finding), by_id);
  return status;
}

int leat_i_find_waits(struct list *findings) {
  static struct lock one_at_a_time;
  while (!lock_try(&one_at_a_time)) {
    if (leat_i_worker()) leat_i_yield(leat_i_self());
    else sched_yield();
  }
  __builtin_unwind_init(); /* registers onto the stack */
  int status = find(findings);
  lock_drop(&one_at_a_time);
  return status;
}
