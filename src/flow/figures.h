/* What stages tell of themselves to be measured: see figures.c. */
#pragma once
#include "stage.h"

/* How many scopes measure: mostly none, and then the stages that are made need not look for one. */
extern _Atomic(uint32_t) leat_i_flows;

/* A stage that has just been made, with its inputs, joins its row, if its scope is measured. */
void leat_i_station_join_measured(struct stage *g);
static inline void station_join(struct stage *g) {
  if (unlikely(load_relaxed(&leat_i_flows))) leat_i_station_join_measured(g);
}

struct shift;
/* The calling goroutine works on the stages from the first down to the last, until it says leat_i_shift_end. NULL if they are not measured, or out of
 * memory. */
struct shift *leat_i_shift_begin(struct stage *first, struct stage *last);
void leat_i_shift_end(struct shift *s); /* or NULL */

/* By runs. A round begins, with so many items received for it, and so many ahead. */
void leat_i_shift_round(struct shift *s, size_t n, size_t ahead);
/* The stage has made `out` items, of `in`. */
void leat_i_shift_did(struct shift *s, const struct stage *g, size_t in, size_t out);
/* What the round has made has been handed on. */
void leat_i_shift_delivered(struct shift *s);
