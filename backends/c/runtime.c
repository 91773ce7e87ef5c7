/* The C backend's runtime: a loader, a thread pool, a plan runner and an allocator. No OpenMP. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
#define AWAKE_NS 200000        /* an idle worker stays awake this long: waking it costs 40 us */

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

/* How long a thread spins before it yields its CPU. A wait that spinning did not end was probably
 * for a thread that had no CPU, perhaps this one's: so patience shrinks, and grows back with waits
 * that spinning ends. Without that, two threads on one CPU lose 50 us at each barrier. */
static _Thread_local int64_t patience = PAUSES;

static inline void wait_a_little(int64_t *spins) {
    if (++*spins < patience) cpu_pause();
    else sched_yield();
}

static inline void end_wait(int64_t spins) {
    if (spins >= patience) patience = patience > 8 * LEAST_PAUSES ? patience / 8 : LEAST_PAUSES;
    else if (patience < PAUSES) patience *= 2;
}

/* ---- the pool: worker 0 is the caller, the others are threads that never end ---- */

typedef struct {
    _Alignas(LINE) _Atomic uint32_t ticket; /* changes when there is a job for this worker */
    _Atomic uint32_t parked;
    uint32_t seen;
    int64_t worker;
    pthread_t thread;
#ifndef __linux__
    pthread_mutex_t lock;
    pthread_cond_t wake;
#endif
} worker_slot;

typedef struct {
    kernel_fn kernel;      /* one kernel over `values`, or NULL and these steps: */
    const tl_step *steps;
    int64_t nsteps;
    const int32_t *indices;
    const uint64_t *values;
    int64_t workers;
    int64_t *times;
} plan_job;

static worker_slot slots[MAX_WORKERS];
static pthread_mutex_t region_lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t pool_size = 1; /* guarded by region_lock */
static const plan_job *current_job;
static _Alignas(LINE) _Atomic int64_t unfinished;
static _Alignas(LINE) _Atomic int64_t arrived;
static _Alignas(LINE) _Atomic uint32_t phase;

static void barrier(int64_t workers) {
    if (workers == 1) return;
    uint32_t before = atomic_load_explicit(&phase, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&arrived, 1, memory_order_acq_rel) == workers - 1) {
        atomic_store_explicit(&arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&phase, before + 1, memory_order_release);
        return;
    }
    int64_t spins = 0;
    while (atomic_load_explicit(&phase, memory_order_acquire) == before) wait_a_little(&spins);
    end_wait(spins);
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

#ifdef __linux__
static void park(worker_slot *slot) {
    atomic_store(&slot->parked, 1);
    atomic_thread_fence(memory_order_seq_cst);
    while (atomic_load(&slot->ticket) == slot->seen)
        syscall(SYS_futex, &slot->ticket, FUTEX_WAIT_PRIVATE, slot->seen, NULL, NULL, 0);
    atomic_store(&slot->parked, 0);
}

static void unpark(worker_slot *slot) {
    syscall(SYS_futex, &slot->ticket, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
#else
static void park(worker_slot *slot) {
    pthread_mutex_lock(&slot->lock);
    atomic_store(&slot->parked, 1);
    atomic_thread_fence(memory_order_seq_cst);
    while (atomic_load(&slot->ticket) == slot->seen) pthread_cond_wait(&slot->wake, &slot->lock);
    atomic_store(&slot->parked, 0);
    pthread_mutex_unlock(&slot->lock);
}

static void unpark(worker_slot *slot) {
    pthread_mutex_lock(&slot->lock);
    pthread_cond_signal(&slot->wake);
    pthread_mutex_unlock(&slot->lock);
}
#endif

static void await_ticket(worker_slot *slot) {
    int64_t until = clock_ns() + AWAKE_NS;
    int64_t spins = 0;
    while (atomic_load_explicit(&slot->ticket, memory_order_acquire) == slot->seen) {
        wait_a_little(&spins);
        if (spins % 64 == 0 && clock_ns() > until) park(slot);
    }
    slot->seen = atomic_load_explicit(&slot->ticket, memory_order_acquire);
}

static void *worker_main(void *argument) {
    worker_slot *slot = argument;
    for (;;) {
        await_ticket(slot);
        work(current_job, slot->worker);
        atomic_fetch_sub_explicit(&unfinished, 1, memory_order_release);
    }
    return NULL;
}

static void post(const plan_job *job) {
    current_job = job;
    atomic_store_explicit(&unfinished, job->workers - 1, memory_order_relaxed);
    for (int64_t w = 1; w < job->workers; w++)
        atomic_fetch_add_explicit(&slots[w].ticket, 1, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    for (int64_t w = 1; w < job->workers; w++)
        if (atomic_load_explicit(&slots[w].parked, memory_order_relaxed)) unpark(&slots[w]);
}

static int start_worker(int64_t worker, const pthread_attr_t *attributes) {
    worker_slot *slot = &slots[worker];
    memset(slot, 0, sizeof *slot);
    slot->worker = worker;
#ifndef __linux__
    pthread_mutex_init(&slot->lock, NULL);
    pthread_cond_init(&slot->wake, NULL);
#endif
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

/* Start workers until there are `workers` with the caller. They take no signals: those are
 * Python's main thread's. */
static int grow_pool(int64_t workers) {
    if (workers <= pool_size) return 0;
    pthread_attr_t attributes;
    sigset_t all, before;
    int status = 0;
    sigfillset(&all);
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
        int64_t spins = 0;
        post(job);
        work(job, 0);
        while (atomic_load_explicit(&unfinished, memory_order_acquire)) wait_a_little(&spins);
        end_wait(spins);
    }
    pthread_mutex_unlock(&region_lock);
    return status;
}

int tl_call(kernel_fn fn, const uint64_t *args, int64_t workers) {
    if (!fn) return failed("call", "its kernel is NULL");
    plan_job job = {fn, NULL, 0, NULL, args, workers, NULL};
    return run_job(&job);
}

int tl_run_timed(const tl_step *steps, int64_t nsteps, const int32_t *indices,
                 const uint64_t *values, int64_t workers, int64_t *nanoseconds) {
    for (int64_t i = 0; i < nsteps; i++) {
        if (steps[i].count < 0 || steps[i].count > MAX_WORDS || steps[i].first < 0)
            return failed("step", "needed at most 128 argument words");
        if (!steps[i].fn) return failed("step", "its kernel is NULL");
    }
    plan_job job = {NULL, steps, nsteps, indices, values, workers, nanoseconds};
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

/* ---- the allocator: 64-byte aligned, huge pages, recently freed blocks kept for reuse ----
 * Sizes are rounded to four classes between powers of two, so that a block fits the next request
 * of about its size. What is kept is bounded: 256 MiB hold a few outputs of 64 MiB, whose page
 * faults would cost more than computing them, and are a small part of a machine that has such
 * outputs. When a block would not fit, the older ones go. */

#define ALIGNMENT 64
#define HUGE_PAGE ((uint64_t)2 << 20)
#define KEPT_BYTES ((uint64_t)256 << 20)
#define LARGEST ((uint64_t)1 << 46)
#define CLASSES 192

typedef struct free_block { struct free_block *next; } free_block;

static pthread_mutex_t alloc_lock = PTHREAD_MUTEX_INITIALIZER;
static free_block *free_blocks[CLASSES];
static uint64_t kept_bytes;

/* The class of a size, and how many bytes a block of that class has. */
static int size_class(uint64_t bytes, uint64_t *extent) {
    if (bytes < ALIGNMENT) bytes = ALIGNMENT;
    int power = 63 - __builtin_clzll(bytes);
    uint64_t quarter = (uint64_t)1 << (power - 2);
    uint64_t quarters = (bytes + quarter - 1) / quarter; /* 4..8 */
    *extent = quarters * quarter;
    if (*extent >= HUGE_PAGE) *extent = (*extent + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    return (power - 6) * 4 + (int)quarters - 4;
}

static uint64_t class_extent(int class) {
    uint64_t extent;
    size_class((uint64_t)(4 + class % 4) << (class / 4 + 4), &extent);
    return extent;
}

static void *map_huge(uint64_t extent) {
    uint8_t *base = mmap(NULL, extent + HUGE_PAGE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) return NULL;
    uint8_t *start = (uint8_t *)(((uintptr_t)base + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
    uint8_t *end = base + extent + HUGE_PAGE;
    if (start > base) munmap(base, start - base);
    if (end > start + extent) munmap(start + extent, end - start - extent);
#ifdef MADV_HUGEPAGE
    madvise(start, extent, MADV_HUGEPAGE);
#endif
    return start;
}

static void *fresh_block(uint64_t extent) {
    void *block = NULL;
    if (extent >= HUGE_PAGE) return map_huge(extent);
    return posix_memalign(&block, ALIGNMENT, extent) ? NULL : block;
}

static void release_block(void *block, uint64_t extent) {
    if (extent >= HUGE_PAGE) munmap(block, extent);
    else free(block);
}

static void release_all(void) {
    for (int class = 0; class < CLASSES && kept_bytes; class++) {
        while (free_blocks[class]) {
            free_block *block = free_blocks[class];
            free_blocks[class] = block->next;
            release_block(block, class_extent(class));
            kept_bytes -= class_extent(class);
        }
    }
}

void tl_trim(void) {
    pthread_mutex_lock(&alloc_lock);
    release_all();
    pthread_mutex_unlock(&alloc_lock);
}

uint64_t tl_cached_bytes(void) {
    pthread_mutex_lock(&alloc_lock);
    uint64_t bytes = kept_bytes;
    pthread_mutex_unlock(&alloc_lock);
    return bytes;
}

static void *kept_block(int class, uint64_t extent) {
    pthread_mutex_lock(&alloc_lock);
    free_block *block = free_blocks[class];
    if (block) {
        free_blocks[class] = block->next;
        kept_bytes -= extent;
    }
    pthread_mutex_unlock(&alloc_lock);
    return block;
}

/* The address of a block, the form in which kernels take it; 0 where there is no memory, even
 * after everything that was kept is given back. */
uint64_t tl_alloc(uint64_t bytes) {
    if (bytes > LARGEST) return 0;
    uint64_t extent;
    int class = size_class(bytes, &extent);
    void *block = kept_block(class, extent);
    if (!block) block = fresh_block(extent);
    if (!block && tl_cached_bytes()) {
        tl_trim();
        block = fresh_block(extent);
    }
    return (uintptr_t)block;
}

void tl_free(uint64_t address, uint64_t bytes) {
    if (!address) return;
    void *pointer = (void *)(uintptr_t)address;
    uint64_t extent;
    int class = size_class(bytes, &extent);
    if (extent > KEPT_BYTES) {
        release_block(pointer, extent);
        return;
    }
    pthread_mutex_lock(&alloc_lock);
    if (kept_bytes + extent > KEPT_BYTES) release_all();
    ((free_block *)pointer)->next = free_blocks[class];
    free_blocks[class] = pointer;
    kept_bytes += extent;
    pthread_mutex_unlock(&alloc_lock);
}

/* ---- fork: the child has no workers and starts its own when it needs them ---- */

static void before_fork(void) { pthread_mutex_lock(&alloc_lock); }

static void after_fork_in_parent(void) { pthread_mutex_unlock(&alloc_lock); }

static void after_fork_in_child(void) {
    pthread_mutex_unlock(&alloc_lock);
    pthread_mutex_init(&region_lock, NULL);
    pool_size = 1;
    atomic_store(&arrived, 0);
    atomic_store(&unfinished, 0);
}

__attribute__((constructor)) static void watch_forks(void) {
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}
