/* The C backend's runtime: a loader, a thread pool and a plan runner. No OpenMP.
 * runtime.py compiles it together with allocator.c. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

/* The lines between the two marks are read by runtime.py as the cffi declarations. */
/* interface begins */
typedef void (*kernel_fn)(const uint64_t *args, int64_t worker, int64_t workers);
typedef struct { kernel_fn fn; int64_t first; int64_t count; int64_t serial; } tl_step;

const char *tl_error(void);
void *tl_open(const char *path);
void *tl_symbol(void *library, const char *name);

int tl_call(kernel_fn fn, const uint64_t *args, int64_t workers);
int tl_call_arrays(kernel_fn fn, uint64_t *args, int64_t workers,
                   const int32_t *places, int64_t count,
                   const void *p0, const void *p1, const void *p2, const void *p3,
                   const void *p4, const void *p5, const void *p6, const void *p7);
int tl_run(const tl_step *steps, int64_t nsteps, const int32_t *indices,
           const uint64_t *values, int64_t workers);
int tl_run_timed(const tl_step *steps, int64_t nsteps, const int32_t *indices,
                 const uint64_t *values, int64_t workers, int64_t *nanoseconds);
int64_t tl_pool_size(void);

uint64_t tl_alloc(uint64_t bytes);
void tl_free(uint64_t address, uint64_t bytes);
uint64_t tl_cached_bytes(void);
void tl_trim(void);
/* interface ends */

#define LINE 128               /* adjacent-line prefetch makes two cache lines one unit of sharing */
#define MAX_WORKERS 1024
#define MAX_WORDS 128          /* words of one step's arguments */
#define PAUSES 2000            /* spins before a waiting thread offers its CPU to others */
#define LEAST_PAUSES 32
#define CROWDED_NS 50000       /* a yield that took so long: others want this CPU */
#define CROWDED_WAITS 1000     /* how many waits remember that */
#define IDLE_NS 200000         /* an idle worker stays awake so long: waking it costs 40 us */
#define STEP_NS 2000000        /* and a worker so long that waits for the others' step */

/* ---- errors ---- */

static _Thread_local char error_text[512];

const char *tl_error(void) { return error_text; }

static int failed(const char *what, const char *why) {
    snprintf(error_text, sizeof error_text, "%s: %s", what, why ? why : "unknown error");
    return -1;
}

/* ---- loader ---- */

void *tl_open(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) failed("dlopen", dlerror());
    return library;
}

void *tl_symbol(void *library, const char *name) {
    void *address = dlsym(library, name);
    if (!address) failed("dlsym", dlerror());
    return address;
}

/* ---- waiting ---- */

static inline void cpu_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    __asm__ volatile("yield");
#endif
}

static int64_t clock_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* A word that threads wait on until it changes; who changes it calls `notify` if they may sleep. */
typedef struct {
    _Alignas(LINE) _Atomic uint32_t word;
    _Atomic uint32_t sleepers;
#ifndef __linux__
    pthread_mutex_t lock;
    pthread_cond_t wake;
#endif
} event;

#ifdef __linux__
#define EVENT {0}

static void sleep_while(event *e, uint32_t old) {
    while (atomic_load(&e->word) == old)
        syscall(SYS_futex, &e->word, FUTEX_WAIT_PRIVATE, old, NULL, NULL, 0);
}

static void wake_all(event *e) {
    syscall(SYS_futex, &e->word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}
#else
#define EVENT {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER}

static void sleep_while(event *e, uint32_t old) {
    pthread_mutex_lock(&e->lock);
    while (atomic_load(&e->word) == old) pthread_cond_wait(&e->wake, &e->lock);
    pthread_mutex_unlock(&e->lock);
}

static void wake_all(event *e) {
    pthread_mutex_lock(&e->lock);
    pthread_cond_broadcast(&e->wake);
    pthread_mutex_unlock(&e->lock);
}
#endif

/* After a sequentially consistent change of the word: either this sees the sleeper or the sleeper
 * sees the change. */
static inline void notify(event *e) {
    if (atomic_load(&e->sleepers)) wake_all(e);
}

/* How a thread waits: it spins, then offers its CPU to others, then sleeps.
 * Patience, the length of the spinning, shrinks by waits that spinning did not end: probably the
 * awaited thread had no CPU, perhaps needed this one. It grows back with waits that it ended.
 * A yield that took long says that the CPU is crowded. Then yielding is the wrong way to wait (each
 * time the scheduler runs all others for their whole slice, milliseconds), and the next waits
 * sleep at once: a sleeper is run soon after it is woken. */
static _Thread_local int64_t patience = PAUSES;
static _Thread_local int64_t crowded = 0;

static inline int unchanged(event *e, uint32_t old) {
    return atomic_load_explicit(&e->word, memory_order_acquire) == old;
}

static int yield_while(event *e, uint32_t old, int64_t awake_ns) {
    int64_t start = clock_ns(), before = start;
    while (unchanged(e, old)) {
        if (crowded || before - start > awake_ns) return 1;
        sched_yield();
        int64_t after = clock_ns();
        if (after - before > CROWDED_NS) crowded = CROWDED_WAITS;
        before = after;
    }
    return 0;
}

static __attribute__((noinline)) void wait_long(event *e, uint32_t old, int64_t awake_ns) {
    patience = patience > 8 * LEAST_PAUSES ? patience / 8 : LEAST_PAUSES;
    if (!yield_while(e, old, awake_ns)) return;
    atomic_fetch_add(&e->sleepers, 1);
    sleep_while(e, old);
    atomic_fetch_sub(&e->sleepers, 1);
}

/* Return when the word is no longer `old`. */
static void wait_change(event *e, uint32_t old, int64_t awake_ns) {
    int64_t spins = 0, limit = patience;
    if (crowded) crowded--;
    while (unchanged(e, old)) {
        if (++spins > limit) {
            wait_long(e, old, awake_ns);
            return;
        }
        cpu_pause();
    }
    if (limit < PAUSES) patience = 2 * limit;
}

/* ---- the pool: worker 0 is the caller, the others are threads that never end ---- */

typedef struct {
    event ticket; /* changes when there is a job for this worker */
    int64_t worker;
    pthread_t thread;
} worker_slot;

typedef struct {
    kernel_fn kernel;      /* one kernel over `values`, or NULL and these steps: */
    const tl_step *steps;
    int64_t nsteps;
    const int32_t *indices;
    const uint64_t *values;
    int64_t workers;
    int64_t *times;
    int64_t *share;        /* takes the nanoseconds of the caller's own share, or NULL */
} plan_job;

static worker_slot slots[MAX_WORKERS];
static pthread_mutex_t region_lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t pool_size = 1; /* guarded by region_lock */
static const plan_job *current_job;
static event unfinished = EVENT; /* workers of the job that are still at it */
static event phase = EVENT;      /* changes when all have come to a barrier */
static _Alignas(LINE) _Atomic int64_t arrived;

static void barrier(int64_t workers) {
    if (workers == 1) return;
    uint32_t before = atomic_load_explicit(&phase.word, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&arrived, 1, memory_order_acq_rel) == workers - 1) {
        atomic_store_explicit(&arrived, 0, memory_order_relaxed);
        atomic_fetch_add(&phase.word, 1);
        notify(&phase);
    } else {
        wait_change(&phase, before, STEP_NS);
    }
}

static void run_step(const plan_job *job, const tl_step *step, int64_t worker) {
    if (step->serial && worker) return;
    const int32_t *indices = job->indices + step->first;
    uint64_t args[MAX_WORDS];
    for (int64_t j = 0; j < step->count; j++) args[j] = job->values[indices[j]];
    step->fn(args, worker, step->serial ? 1 : job->workers);
}

/* One worker's walk over all steps. Between two serial steps nobody has to wait; nor at the end,
 * where the caller waits for all. */
static void walk(const plan_job *job, int64_t worker) {
    for (int64_t i = 0; i < job->nsteps; i++) {
        const tl_step *step = job->steps + i;
        run_step(job, step, worker);
        if (i + 1 < job->nsteps && !(step->serial && step[1].serial)) barrier(job->workers);
    }
}

static void walk_timed(const plan_job *job, int64_t worker) {
    for (int64_t i = 0; i < job->nsteps; i++) {
        barrier(job->workers);
        int64_t start = worker ? 0 : clock_ns();
        run_step(job, job->steps + i, worker);
        barrier(job->workers);
        if (!worker) job->times[i] = clock_ns() - start;
    }
}

static void work(const plan_job *job, int64_t worker) {
    if (job->kernel) job->kernel(job->values, worker, job->workers);
    else if (job->times) walk_timed(job, worker);
    else walk(job, worker);
}

static void *worker_main(void *argument) {
    worker_slot *slot = argument;
    for (uint32_t seen = 0;; seen++) {
        wait_change(&slot->ticket, seen, IDLE_NS);
        work(current_job, slot->worker);
        if (atomic_fetch_sub(&unfinished.word, 1) == 1) notify(&unfinished);
    }
    return NULL;
}

static void post(const plan_job *job) {
    current_job = job;
    atomic_store_explicit(&unfinished.word, job->workers - 1, memory_order_relaxed);
    for (int64_t w = 1; w < job->workers; w++) atomic_fetch_add(&slots[w].ticket.word, 1);
    for (int64_t w = 1; w < job->workers; w++) notify(&slots[w].ticket);
}

static void join(void) {
    uint32_t left;
    while ((left = atomic_load_explicit(&unfinished.word, memory_order_acquire)))
        wait_change(&unfinished, left, STEP_NS);
}

static int start_worker(int64_t worker, const pthread_attr_t *attributes) {
    worker_slot *slot = &slots[worker];
    *slot = (worker_slot){.ticket = EVENT, .worker = worker};
    return pthread_create(&slot->thread, attributes, worker_main, slot);
}

/* Pin the workers when they and the caller fill the affinity mask, else let them float.
 * The CPU where the caller runs now is left to it; the caller itself is never pinned. */
static void place_workers(void) {
#ifdef __linux__
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed)) return;
    int64_t cpu_count = CPU_COUNT(&allowed);
    int64_t worker = 1;
    int mine = sched_getcpu();
    for (int cpu = 0; cpu < CPU_SETSIZE && worker < pool_size && pool_size == cpu_count; cpu++) {
        if (cpu == mine || !CPU_ISSET(cpu, &allowed)) continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        pthread_setaffinity_np(slots[worker++].thread, sizeof one, &one);
    }
    for (; worker < pool_size; worker++)
        pthread_setaffinity_np(slots[worker].thread, sizeof allowed, &allowed);
#endif
}

/* Start workers until there are `workers` with the caller. They take no signals but those of
 * their own faults: the others are Python's main thread's. */
static int grow_pool(int64_t workers) {
    if (workers <= pool_size) return 0;
    pthread_attr_t attributes;
    sigset_t all, before;
    int status = 0;
    sigfillset(&all);
    sigdelset(&all, SIGSEGV), sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGFPE), sigdelset(&all, SIGILL);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 8 << 20);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool_size < workers && !(status = start_worker(pool_size, &attributes))) pool_size++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    place_workers();
    return status ? failed("a worker thread can't start", strerror(status)) : 0;
}

/* Run a job over the pool. Threads that call at once take turns; one worker needs no turn. */
static int run_job(const plan_job *job) {
    if (job->workers < 1 || job->workers > MAX_WORKERS)
        return failed("workers", "needed a number from 1 to 1024");
    if (job->workers == 1) {
        work(job, 0);
        return 0;
    }
    pthread_mutex_lock(&region_lock);
    int status = grow_pool(job->workers);
    if (!status) {
        post(job);
        int64_t start = job->share ? clock_ns() : 0;
        work(job, 0);
        if (job->share) *job->share = clock_ns() - start;
        join();
    }
    pthread_mutex_unlock(&region_lock);
    return status;
}

static int call_timed(kernel_fn fn, const uint64_t *args, int64_t workers, int64_t *share) {
    if (!fn) return failed("call", "its kernel is NULL");
    plan_job job = {fn, NULL, 0, NULL, args, workers, NULL, share};
    return run_job(&job);
}

int tl_call(kernel_fn fn, const uint64_t *args, int64_t workers) {
    return call_timed(fn, args, workers, NULL);
}

/* Addresses come as arguments of their own, since cffi converts those fastest. */
int tl_call_arrays(kernel_fn fn, uint64_t *args, int64_t workers,
                   const int32_t *places, int64_t count,
                   const void *p0, const void *p1, const void *p2, const void *p3,
                   const void *p4, const void *p5, const void *p6, const void *p7) {
    const void *given[8] = {p0, p1, p2, p3, p4, p5, p6, p7};
    if (count < 0 || count > 8) return failed("call", "needed at most 8 arrays");
    for (int64_t i = 0; i < count; i++) args[places[i]] = (uint64_t)(uintptr_t)given[i];
    return tl_call(fn, args, workers);
}

int tl_run_timed(const tl_step *steps, int64_t nsteps, const int32_t *indices,
                 const uint64_t *values, int64_t workers, int64_t *nanoseconds) {
    for (int64_t i = 0; i < nsteps; i++) {
        if (steps[i].count < 0 || steps[i].count > MAX_WORDS || steps[i].first < 0)
            return failed("step", "needed at most 128 argument words");
        if (!steps[i].fn) return failed("step", "its kernel is NULL");
    }
    plan_job job = {NULL, steps, nsteps, indices, values, workers, nanoseconds, NULL};
    return nsteps > 0 ? run_job(&job) : 0;
}

int tl_run(const tl_step *steps, int64_t nsteps, const int32_t *indices,
           const uint64_t *values, int64_t workers) {
    return tl_run_timed(steps, nsteps, indices, values, workers, NULL);
}

int64_t tl_pool_size(void) {
    pthread_mutex_lock(&region_lock);
    int64_t size = pool_size;
    pthread_mutex_unlock(&region_lock);
    return size;
}

/* ---- fork: the child has no workers and starts its own when it needs them ---- */

static void after_fork_in_child(void) {
    pthread_mutex_init(&region_lock, NULL);
    pool_size = 1;
    arrived = 0;
    phase = unfinished = (event)EVENT;
}

__attribute__((constructor)) static void watch_forks(void) {
    pthread_atfork(NULL, NULL, after_fork_in_child);
}
