/* timetable.h - a table of what happens when. Its rows are seconds; a cell is written by one goroutine, and looked at when that has ended. */
#pragma once

void timetable_start(void);    /* now is row 0, and all cells are empty */
int timetable_row(void);       /* of now */
int timetable_wait(int row);   /* until it begins: a leat_sleep_until */
void timetable_put(int row, int column, const char *format, ...) __attribute__((__format__(__printf__, 3, 4)));
void timetable_print(const char *const *heads, int columns); /* without empty columns, and empty rows at the end */
