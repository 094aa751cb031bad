/* tour.h - the programs that the Book builds its chapters on, written with leat. Each is a file that can be read alone; tour.c lists them. */
#pragma once
#include <leat/leat.h>
#include <stdio.h>

/* How long a second lasts in them: the argument after the program's name, in milliseconds; 1000 if there is none. */
extern int64_t second;

int greeting_done(void);
int greeting_context(void);
int greeting_deadline(void);
int request(void);
int request_shared(void);
int leak_receive(void);
int leak_send(void);
