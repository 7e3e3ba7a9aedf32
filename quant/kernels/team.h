/* Threads that walk through one program together.
 *
 * A program is a sequence of shares; a share is work in portions, which the threads take one by
 * one, and it ends when the last portion is done, not when the last thread arrives. So a thread
 * that another process has displaced holds nobody up unless it holds a portion: it finds its
 * shares done when it comes back, and hurries after the others. Between programs the threads
 * sleep; within one they spin for a short while and then offer their core to others.
 */
#ifndef CARET_TEAM_H
#define CARET_TEAM_H

#include <stddef.h>
#include <stdint.h>

/* A thread on its way through a program. */
typedef struct {
    int thread; /* 0 is the caller's */
    uint32_t share;
} Member;

typedef void (*Program)(Member *me, const void *job);
typedef void (*Work)(const void *context, size_t portion, int thread);

/* Bytes of the largest job. */
enum { JOB = 512 };

/* Have `threads` threads, the caller one of them, walk through `program`; returns at its end. Each
 * thread has a copy of the `size` bytes of `job`, and every one of them must come to the same
 * shares: what a program does between them may depend on the job only. One program runs at a time,
 * others wait. */
void team_run(int threads, Program program, const void *job, size_t size);

/* Do `work` for the portions 0 … portions. Every thread calls it; `context` may be its own. */
void team_share(Member *me, size_t portions, Work work, const void *context);

/* Wait until no thread, however late, looks at any job: then what jobs point to may be freed. */
void team_rest(void);

#endif
