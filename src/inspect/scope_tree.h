/* The tree of scopes, for a dump. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

/* A line for each scope; siblings that are alike and have none below are one line. At most some thousand: while they are looked at, the
 * locks of a scope's ancestors are held, as when a scope is cancelled. */
void leat_i_scope_tree_print(FILE *out);
