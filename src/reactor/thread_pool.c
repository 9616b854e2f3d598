/* SPDX-License-Identifier: MIT */
/*
 * The threads of a reactor, and the queue of jobs in front of them.
 *
 *  - The mutex guards all of the pool but what is set when it is made.
 *  - A job is in the queue until a thread takes it, it is withdrawn, or the pool stops. Whichever
 * comes first alone decides: a job that was taken is always told, by a call from its thread.
 *  - A thread is made when a job comes and nobody is idle, up to the maximum. None ends before the
 * pool does.
 *  - A thread takes no signals.
 */
#include "reactor/thread_pool.h"

#include <pthread.h>
#include <signal.h>

#include "base/alloc.h"
#include "reactor/reactor.h"
#include "reactor/syscalls.h"

typedef struct torc_thread_pool {
    torc_reactor *reactor;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a job came, or the pool stops */
    torc_list queue;
    uint32_t queued, idle, count;
    bool is_stopping;
    pthread_t threads[];
} torc_thread_pool;

static torc_thread_pool *pool_of(torc_reactor *reactor) {
    torc_thread_pool *pool = reactor->threads;
    const size_t max = reactor->options.threads_max;

    if (pool) return pool;
    pool = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1,
                           sizeof(*pool) + max * sizeof(pthread_t));
    if (!pool) return NULL;
    pool->reactor = reactor;
    torc_list_init(&pool->queue);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->changed, NULL);
    reactor->threads = pool;
    return pool;
}

static void run_done(torc_thread_call *call) {
    torc_job *job = torc_container_of(call, torc_job, call);

    job->reactor->counts.jobs_ended++;
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

static void *serve(void *context) {
    torc_thread_pool *pool = context;
    torc_job *job;

    pthread_mutex_lock(&pool->mutex);
    while ((job = wait_for_job(pool)) != NULL) {
        pthread_mutex_unlock(&pool->mutex);
        job->work(job);
        tell(job);
        pthread_mutex_lock(&pool->mutex);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

/* Another thread, with the mutex held and all signals blocked in it. */
static void add_thread(torc_thread_pool *pool) {
    sigset_t all, old;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    if (!torc_sys_fails(pool->reactor, TORC_SYS_THREAD, NULL) &&
        pthread_create(&pool->threads[pool->count], NULL, serve, pool) == 0)
        pool->count++;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static torc_err enqueue(torc_thread_pool *pool, torc_job *job) {
    if (pool->queued >= pool->reactor->options.thread_queue_max) return TORC_ERR_BUSY;
    if (pool->idle <= pool->queued && pool->count < pool->reactor->options.threads_max)
        add_thread(pool);
    if (pool->count == 0) return TORC_ERR_LIMIT;
    torc_list_push(&pool->queue, &job->node);
    pool->queued++;
    pthread_cond_signal(&pool->changed);
    return TORC_OK;
}

torc_err torc_job_submit(torc_reactor *reactor, torc_job *job) {
    torc_thread_pool *pool = pool_of(reactor);
    torc_err err;

    if (!pool) return TORC_ERR_NO_MEMORY;
    if (pool->is_stopping) return TORC_ERR_STOPPING;
    job->err = TORC_OK;
    job->reactor = reactor;
    pthread_mutex_lock(&pool->mutex);
    err = enqueue(pool, job);
    pthread_mutex_unlock(&pool->mutex);
    if (err)
        reactor->counts.jobs_refused++;
    else
        reactor->counts.jobs++;
    return err;
}

bool torc_job_withdraw(torc_job *job) {
    torc_thread_pool *pool = job->reactor->threads;
    bool is_queued;

    pthread_mutex_lock(&pool->mutex);
    is_queued = torc_list_has(&job->node);
    if (is_queued) {
        torc_list_remove(&job->node);
        pool->queued--;
    }
    pthread_mutex_unlock(&pool->mutex);
    if (is_queued) pool->reactor->counts.jobs_ended++;
    return is_queued;
}

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

void torc_threads_stop(torc_reactor *reactor) {
    torc_thread_pool *pool = reactor->threads;

    if (!pool || pool->is_stopping) return;
    pthread_mutex_lock(&pool->mutex);
    pool->is_stopping = true;
    refuse_queued(pool);
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->mutex);
    for (uint32_t i = 0; i < pool->count; i++) pthread_join(pool->threads[i], NULL);
}

void torc_threads_free(torc_reactor *reactor) {
    torc_thread_pool *pool = reactor->threads;

    if (!pool) return;
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->mutex);
    reactor->threads = NULL;
    torc_dealloc(&reactor->memory, pool);
}
