/* The dump: what every goroutine is and does, for a person. */
#pragma once

/* A line for each of the first goroutines, to where reports go (leat_i_say). */
void leat_i_dump_say(void);
