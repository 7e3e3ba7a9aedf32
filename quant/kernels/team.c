#define _POSIX_C_SOURCE 200809L
#include "team.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define RELAX() _mm_pause()
#else
#define RELAX() ((void)0)
#endif

enum {
    SPINS = 2000,   /* some ten microseconds: shares are rarely further apart */
    MOST = 256      /* threads */
};

static struct {
    pthread_mutex_t turn; /* held by the one who has the team */
    pthread_mutex_t lock; /* of the following, up to the atomics */
    pthread_cond_t start, rest;
    pid_t process;
    int workers, wanted, busy;
    uint64_t programs;
    Program program;
    unsigned char job[JOB];
    uint32_t first;
    /* share << 32 | next portion: only a thread that is in the present share can take one */
    _Alignas(64) _Atomic uint64_t ticket;
    _Alignas(64) _Atomic size_t done;
} team = {.turn = PTHREAD_MUTEX_INITIALIZER,
          .lock = PTHREAD_MUTEX_INITIALIZER,
          .start = PTHREAD_COND_INITIALIZER,
          .rest = PTHREAD_COND_INITIALIZER};

void team_share(Member *me, size_t portions, Work work, const void *context)
{
    uint64_t share = me->share++, ticket = atomic_load(&team.ticket);
    while (ticket >> 32 == share && (uint32_t)ticket < portions) {
        if (!atomic_compare_exchange_weak(&team.ticket, &ticket, ticket + 1))
            continue;
        work(context, (uint32_t)ticket, me->thread);
        if (atomic_fetch_add(&team.done, 1) + 1 == portions) {
            atomic_store(&team.done, 0);
            atomic_store(&team.ticket, (uint64_t)(uint32_t)(share + 1) << 32);
        }
        ticket = atomic_load(&team.ticket);
    }
    for (int spins = 0; atomic_load(&team.ticket) >> 32 == share; spins++)
        if (spins < SPINS)
            RELAX();
        else
            sched_yield();
}

static void *worker(void *number)
{
    Member me = {(int)(intptr_t)number, 0};
    uint64_t seen = 0;
    pthread_mutex_lock(&team.lock);
    for (;;) {
        while (team.programs == seen || me.thread >= team.wanted) {
            seen = team.programs;
            pthread_cond_wait(&team.start, &team.lock);
        }
        _Alignas(64) unsigned char job[JOB];
        memcpy(job, team.job, JOB);
        Program program = team.program;
        seen = team.programs;
        me.share = team.first;
        team.busy++;
        pthread_mutex_unlock(&team.lock);
        program(&me, job);
        pthread_mutex_lock(&team.lock);
        if (--team.busy == 0)
            pthread_cond_broadcast(&team.rest);
    }
    return NULL;
}

/* Start the workers that are missing; where the system refuses, the others do the work. */
static void hire(int threads)
{
    if (team.process != getpid()) { /* threads do not survive a fork */
        team.process = getpid();
        team.workers = team.busy = 0;
    }
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (team.workers < threads - 1) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, worker, (void *)(intptr_t)(team.workers + 1)) != 0)
            break;
        pthread_detach(thread);
        team.workers++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void team_run(int threads, Program program, const void *job, size_t size)
{
    pthread_mutex_lock(&team.turn);
    pthread_mutex_lock(&team.lock);
    hire(threads < MOST ? threads : MOST);
    memcpy(team.job, job, size);
    team.program = program;
    team.wanted = threads;
    team.first = (uint32_t)(atomic_load(&team.ticket) >> 32);
    team.programs++;
    Member me = {0, team.first};
    pthread_cond_broadcast(&team.start);
    pthread_mutex_unlock(&team.lock);
    program(&me, job);
    pthread_mutex_lock(&team.lock);
    team.wanted = 0; /* who has not woken up by now need not: the job may soon be gone */
    pthread_mutex_unlock(&team.lock);
    pthread_mutex_unlock(&team.turn);
}

void team_rest(void)
{
    pthread_mutex_lock(&team.turn);
    pthread_mutex_lock(&team.lock);
    while (team.process == getpid() && team.busy)
        pthread_cond_wait(&team.rest, &team.lock);
    pthread_mutex_unlock(&team.lock);
    pthread_mutex_unlock(&team.turn);
}
