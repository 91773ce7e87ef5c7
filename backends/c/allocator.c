/* The C backend's allocator: 64-byte aligned, huge pages, recently freed blocks kept for reuse.
 * Sizes are rounded to four classes between powers of two, so that a block fits the next request
 * of about its size. What is kept is bounded: 256 MiB hold a few outputs of 64 MiB, whose page
 * faults would cost more than computing them, and are a small part of a machine that has such
 * outputs. When a block would not fit, the older ones go. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#ifdef __SANITIZE_ADDRESS__ /* then only the bytes that were asked for may be touched */
#include <sanitizer/asan_interface.h>
#define FORBID(address, bytes) __asan_poison_memory_region(address, bytes)
#define ALLOW(address, bytes) __asan_unpoison_memory_region(address, bytes)
#else
#define FORBID(address, bytes) ((void)0)
#define ALLOW(address, bytes) ((void)0)
#endif

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
    ALLOW(block, extent);
    if (extent >= HUGE_PAGE) munmap(block, extent);
    else free(block);
}

static void release_all(void) {
    for (int class = 0; class < CLASSES && kept_bytes; class++) {
        while (free_blocks[class]) {
            free_block *block = free_blocks[class];
            ALLOW(block, sizeof *block);
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
        ALLOW(block, sizeof *block);
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
    if (block) {
        FORBID(block, extent);
        ALLOW(block, bytes);
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
    ALLOW(pointer, extent);
    ((free_block *)pointer)->next = free_blocks[class];
    free_blocks[class] = pointer;
    FORBID(pointer, extent);
    kept_bytes += extent;
    pthread_mutex_unlock(&alloc_lock);
}

/* A fork waits until the lists are whole; the child keeps its copy of them. */
static void hold_lists(void) { pthread_mutex_lock(&alloc_lock); }

static void let_lists_go(void) { pthread_mutex_unlock(&alloc_lock); }

__attribute__((constructor)) static void keep_lists_whole(void) {
    pthread_atfork(hold_lists, let_lists_go, let_lists_go);
}
