/* SPDX-License-Identifier: MIT */
/*
 * The threads of a reactor, by class, and the queue of jobs in front of each class.
 *
 *  - A class has a pool of its own, which the mutex guards, all but what is set when it is made.
 *  - A job is in the queue until a thread takes it, it is withdrawn, or the pool stops. Whichever
 *    comes first alone decides: a job that was taken is always told, by a call from its thread, or
 *    when it is left behind.
 *  - A thread is made when a job comes and nobody is idle, up to the maximum. None ends before the
 *    pool does.
 *  - A thread that is left behind touches nothing of the reactor any more. So a pool is no memory
 *    of the reactor's, though counted as such, and goes with the last who uses it.
 *  - A thread takes no signals.
 */
#include "reactor/thread_pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "base/alloc.h"
#include "reactor/reactor.h"
#include "reactor/syscalls.h"

typedef struct worker {
    struct torc_thread_pool *pool;
    pthread_t thread;
    torc_job *job; /* that it works on */
} worker;

typedef struct torc_thread_pool {
    torc_reactor *reactor; /* for the reactor's thread */
    torc_thread_limits limits;
    size_t size;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a job came, or the pool stops */
    torc_list queue;
    uint32_t queued, idle, count;
    uint32_t refs; /* the reactor, and the threads that are left behind */
    bool is_stopping;
    worker workers[];
} torc_thread_pool;

/* ---- limits ---- */

/* Those that this process may run on. */
static uint32_t processors(void) {
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) == 0) return (uint32_t)CPU_COUNT(&set);
    const long count = sysconf(_SC_NPROCESSORS_ONLN); /* more than a set can hold */
    return count < 1 ? 1 : (uint32_t)count;
}

void torc_threads_default(torc_thread_limits limits[TORC_THREAD_CLASSES]) {
    const uint32_t threads[TORC_THREAD_CLASSES] = {4, 8, processors(), 10};

    for (size_t i = 0; i < TORC_THREAD_CLASSES; i++) {
        if (!limits[i].threads_max) limits[i].threads_max = threads[i];
        if (!limits[i].queue_max) limits[i].queue_max = 1024;
    }
}

/* ---- life ---- */

static torc_thread_pool *make_pool(torc_reactor *reactor, torc_thread_limits limits) {
    const size_t size = sizeof(torc_thread_pool) + limits.threads_max * sizeof(worker);
    torc_thread_pool *pool;

    if (torc_memory_charge(&reactor->memory, TORC_MEMORY_OTHER, size)) return NULL;
    pool = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, size);
    if (!pool) {
        torc_memory_discharge(&reactor->memory, TORC_MEMORY_OTHER, size);
        return NULL;
    }
    pool->reactor = reactor;
    pool->limits = limits;
    pool->size = size;
    pool->refs = 1;
    torc_list_init(&pool->queue);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->changed, NULL);
    return pool;
}

static torc_thread_pool *pool_of(torc_reactor *reactor, torc_thread_class class_) {
    torc_thread_pool **pool = &reactor->threads[class_];

    if (!*pool) *pool = make_pool(reactor, reactor->options.threads[class_]);
    return *pool;
}

static void unref(torc_thread_pool *pool) {
    pthread_mutex_lock(&pool->mutex);
    const bool is_last = --pool->refs == 0;
    pthread_mutex_unlock(&pool->mutex);
    if (!is_last) return;
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->mutex);
    torc_dealloc(NULL, pool);
}

/* ---- threads ---- */

static torc_class_counts *counts_of(const torc_job *job) {
    return &job->reactor->counts.threads[job->thread_class];
}

static void count_ended(const torc_job *job) {
    job->reactor->counts.jobs_ended++;
    counts_of(job)->ended++;
}

static void run_done(torc_thread_call *call) {
    torc_job *job = torc_container_of(call, torc_job, call);

    count_ended(job);
    job->done(job);
}

static void tell(torc_job *job) {
    job->call.run = run_done;
    torc_reactor_call_from_thread(job->reactor, &job->call);
}

/* The next job, with the mutex held; NULL when the pool stops. */
static torc_job *wait_for_job(torc_thread_pool *pool) {
    torc_list_node *node;

    pool->idle++;
    while (!pool->is_stopping && torc_list_is_empty(&pool->queue))
        pthread_cond_wait(&pool->changed, &pool->mutex);
    pool->idle--;
    node = pool->is_stopping ? NULL : torc_list_pop(&pool->queue);
    if (!node) return NULL;
    pool->queued--;
    return torc_container_of(node, torc_job, node);
}

/* Work on a job, and tell it; false: the job was left behind. The mutex is held before and after.
 */
static bool finish(worker *self, torc_job *job) {
    torc_thread_pool *pool = self->pool;

    self->job = job;
    pthread_mutex_unlock(&pool->mutex);
    job->work(job);
    pthread_mutex_lock(&pool->mutex);
    self->job = NULL;
    const bool is_left = job->is_left;
    pthread_mutex_unlock(&pool->mutex);
    if (is_left)
        job->left(job);
    else
        tell(job);
    pthread_mutex_lock(&pool->mutex);
    return !is_left;
}

static void *serve(void *context) {
    worker *self = context;
    torc_thread_pool *pool = self->pool;
    torc_job *job;

    pthread_mutex_lock(&pool->mutex);
    while ((job = wait_for_job(pool)) != NULL && finish(self, job)) continue;
    pthread_mutex_unlock(&pool->mutex);
    if (job) unref(pool);
    return NULL;
}

/* Another thread, with the mutex held and all signals blocked in it. */
static void add_thread(torc_thread_pool *pool) {
    worker *made = &pool->workers[pool->count];
    sigset_t all, old;

    made->pool = pool;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    if (!torc_sys_fails(pool->reactor, TORC_SYS_THREAD, NULL) &&
        pthread_create(&made->thread, NULL, serve, made) == 0)
        pool->count++;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* ---- jobs ---- */

static torc_err enqueue(torc_thread_pool *pool, torc_job *job) {
    if (pool->queued >= pool->limits.queue_max) return TORC_ERR_BUSY;
    if (pool->idle <= pool->queued && pool->count < pool->limits.threads_max) add_thread(pool);
    if (pool->count == 0) return TORC_ERR_LIMIT;
    torc_list_push(&pool->queue, &job->node);
    pool->queued++;
    pthread_cond_signal(&pool->changed);
    return TORC_OK;
}

torc_err torc_job_submit(torc_reactor *reactor, torc_job *job) {
    torc_thread_pool *pool;
    torc_err err;

    if (reactor->has_stopped_threads) return TORC_ERR_STOPPING;
    pool = pool_of(reactor, job->thread_class);
    if (!pool) return TORC_ERR_NO_MEMORY;
    job->err = TORC_OK;
    job->reactor = reactor;
    job->is_left = false;
    pthread_mutex_lock(&pool->mutex);
    err = enqueue(pool, job);
    pthread_mutex_unlock(&pool->mutex);
    if (err) {
        reactor->counts.jobs_refused++;
        counts_of(job)->refused++;
    } else {
        reactor->counts.jobs++;
        counts_of(job)->jobs++;
    }
    return err;
}

bool torc_job_withdraw(torc_job *job) {
    torc_thread_pool *pool = job->reactor->threads[job->thread_class];
    bool is_queued;

    pthread_mutex_lock(&pool->mutex);
    is_queued = torc_list_has(&job->node);
    if (is_queued) {
        torc_list_remove(&job->node);
        pool->queued--;
    }
    pthread_mutex_unlock(&pool->mutex);
    if (is_queued) count_ended(job);
    return is_queued;
}

bool torc_job_abandon(torc_job *job) {
    if (torc_job_withdraw(job)) return true;
    counts_of(job)->abandoned++;
    return false;
}

/* ---- the end ---- */

/* What nobody has begun is told so. */
static void refuse_queued(torc_thread_pool *pool) {
    torc_list_node *node;

    while ((node = torc_list_pop(&pool->queue)) != NULL) {
        torc_job *job = torc_container_of(node, torc_job, node);
        job->err = TORC_ERR_STOPPING;
        tell(job);
    }
    pool->queued = 0;
}

/* With the mutex held: whether the thread is to be waited for. */
static bool is_joined(torc_thread_pool *pool, worker *of) {
    torc_job *job = of->job;

    if (!job || !job->left) return true;
    job->is_left = true;
    job->err = TORC_ERR_STOPPING;
    pool->refs++;
    pthread_detach(of->thread);
    tell(job);
    return false;
}

static void stop_pool(torc_thread_pool *pool) {
    pthread_mutex_lock(&pool->mutex);
    pool->is_stopping = true;
    refuse_queued(pool);
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->mutex);
    for (uint32_t i = 0; i < pool->count; i++) {
        pthread_mutex_lock(&pool->mutex);
        const bool joined = is_joined(pool, &pool->workers[i]);
        pthread_mutex_unlock(&pool->mutex);
        if (joined) pthread_join(pool->workers[i].thread, NULL);
    }
}

void torc_threads_stop(torc_reactor *reactor) {
    reactor->has_stopped_threads = true;
    for (size_t i = 0; i < TORC_THREAD_CLASSES; i++)
        if (reactor->threads[i]) stop_pool(reactor->threads[i]);
}

void torc_threads_free(torc_reactor *reactor) {
    for (size_t i = 0; i < TORC_THREAD_CLASSES; i++) {
        torc_thread_pool *pool = reactor->threads[i];
        if (!pool) continue;
        reactor->threads[i] = NULL;
        torc_memory_discharge(&reactor->memory, TORC_MEMORY_OTHER, pool->size);
        unref(pool);
    }
}
