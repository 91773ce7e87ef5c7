/* Calls of a kernel with Python's own objects, see objects.py; part of the extension module only.
 * The arguments are looked at under the GIL, as any extension does it; the kernel runs without. */
#ifdef Py_GIL_DISABLED
#error "objects.c relies on the GIL"
#endif

/* What every ndarray begins with: part of NumPy's ABI, compared with what NumPy says at loading. */
typedef struct {
    PyObject_HEAD
    char *data;
    int rank;
    Py_ssize_t *shape;
    Py_ssize_t *strides;
    PyObject *base;
    PyObject *dtype;
    int flags;
} array_object;

/* How an argument must be. `letter` is
 * a: an array of the dtype `kind` with `rank` axes and at least `flags`
 * i, b: an int that fits 64 bits, a bool     f: a float, given as one of `itemsize` bytes
 * n, u, r: a NumPy number of the class `kind` and `itemsize` bytes: signed, unsigned, float */
typedef struct {
    int letter, rank, flags, itemsize;
    PyObject *kind;
} argument_row;

/* Where a word of the kernel comes from. `letter` is
 * d, z, t, c: an array's address, size and stride (in elements) along `axis`, number of elements
 * v: a number's value     g: the size of the grid along `axis`     !: the address of the faults */
typedef struct {
    int letter, argument, axis;
} word_row;

/* What calls taught of when the caller is quicker alone. Read and written under the GIL. */
typedef struct {
    double small; /* work of so much and less is small; below 0 while nothing is known */
    int64_t wait; /* calls that go to the pool before the next try */
    int slow;     /* tries in a row that took too long */
} habit;

typedef struct {
    kernel_fn kernel;
    int64_t workers;
    habit habit;
    int64_t block[3]; /* threads of a block; zeros for a kernel without a grid */
    PyTypeObject *array;
    PyObject *error;     /* the class of what is raised when the pool fails */
    PyObject *arguments; /* keeps the kinds of the rows alive */
    Py_ssize_t argument_count, word_count;
    argument_row argument_rows[MAX_WORDS];
    word_row word_rows[MAX_WORDS];
} recipe;

/* ---- one call ---- */

static int read_int(PyObject *object, uint64_t *word) {
    int overflow;
    if (!PyLong_CheckExact(object)) return 0;
    *word = (uint64_t)PyLong_AsLongLongAndOverflow(object, &overflow);
    return !overflow;
}

/* A float32 that a float is too large for is the long way's to refuse. */
static int read_float(PyObject *object, int itemsize, uint64_t *word) {
    if (!PyFloat_CheckExact(object)) return 0;
    double value = PyFloat_AS_DOUBLE(object);
    float narrow = (float)value;
    *word = 0;
    if (itemsize == 8) memcpy(word, &value, sizeof value);
    else memcpy(word, &narrow, sizeof narrow);
    return itemsize == 8 || !__builtin_isinf(narrow) || __builtin_isinf(value);
}

/* The value of a NumPy number stands behind its header. */
static uint64_t number(const argument_row *row, PyObject *object) {
    const char *value = (const char *)object + sizeof(PyObject);
    uint64_t word = 0;
    memcpy(&word, value, (size_t)row->itemsize);
    int unused = 64 - 8 * row->itemsize;
    return row->letter == 'n' ? (uint64_t)((int64_t)(word << unused) >> unused) : word;
}

static int is_like(const argument_row *row, PyTypeObject *array, PyObject *object) {
    const array_object *a = (const array_object *)object;
    return Py_TYPE(object) == array && a->dtype == row->kind && a->rank == row->rank
        && (a->flags & row->flags) == row->flags;
}

/* Whether an argument is as its row says; a number's value goes to `word`. */
static inline int is_read(
    const argument_row *row, PyTypeObject *array, PyObject *object, uint64_t *word) {
    switch (row->letter) {
    case 'a': return is_like(row, array, object);
    case 'i': return read_int(object, word);
    case 'f': return read_float(object, row->itemsize, word);
    case 'b': *word = object == Py_True; return PyBool_Check(object);
    default:
        if ((PyObject *)Py_TYPE(object) != row->kind) return 0;
        *word = number(row, object);
        return 1;
    }
}

static int64_t element_count(const array_object *array) {
    int64_t count = 1;
    for (int i = 0; i < array->rank; i++) count *= array->shape[i];
    return count;
}

static int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0); }

static inline uint64_t array_word(const word_row *word, const argument_row *row, PyObject *object) {
    const array_object *array = (const array_object *)object;
    switch (word->letter) {
    case 'd': return (uint64_t)(uintptr_t)array->data;
    case 'z': return (uint64_t)array->shape[word->axis];
    case 't': return (uint64_t)floor_divide(array->strides[word->axis], row->itemsize);
    default: return (uint64_t)element_count(array);
    }
}

/* Read what `grid` and `block` take: an int or a tuple of up to three, none below `least`. */
static int read_axes(PyObject *given, int64_t least, int64_t axes[3]) {
    Py_ssize_t count = PyTuple_CheckExact(given) ? PyTuple_GET_SIZE(given) : 1;
    if (count < 1 || count > 3) return 0;
    axes[0] = axes[1] = axes[2] = 1;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *axis = PyTuple_CheckExact(given) ? PyTuple_GET_ITEM(given, i) : given;
        if (!read_int(axis, (uint64_t *)&axes[i]) || axes[i] < least) return 0;
    }
    return 1;
}

static int is_launch(const recipe *made, PyObject *grid, PyObject *block, int64_t sizes[3]) {
    int64_t threads[3];
    if (!made->block[0]) return grid == Py_None && block == Py_None;
    return read_axes(grid, 0, sizes) && read_axes(block, 1, threads)
        && !memcmp(threads, made->block, sizeof threads);
}

/* Write the words of a kernel; 0 where the arguments are not like the recipe. */
static int fill(const recipe *made, PyObject *arguments, const int64_t sizes[3],
                const int64_t *faults, uint64_t *words) {
    uint64_t values[MAX_WORDS];
    if (!PyTuple_CheckExact(arguments) || PyTuple_GET_SIZE(arguments) != made->argument_count)
        return 0;
    for (Py_ssize_t i = 0; i < made->argument_count; i++) {
        PyObject *object = PyTuple_GET_ITEM(arguments, i);
        if (!is_read(made->argument_rows + i, made->array, object, values + i)) return 0;
    }
    for (Py_ssize_t i = 0; i < made->word_count; i++) {
        const word_row *word = made->word_rows + i;
        int from = word->argument;
        if (word->letter == 'v') words[i] = values[from];
        else if (word->letter == 'g') words[i] = (uint64_t)sizes[word->axis];
        else if (word->letter == '!') words[i] = (uint64_t)(uintptr_t)faults;
        else words[i] = array_word(word, made->argument_rows + from,
                                   PyTuple_GET_ITEM(arguments, from));
    }
    return 1;
}

/* ---- small work ----
 * Waking a worker takes up to 40 us. A caller that expects to need less does all shares itself, one
 * after the other. They are the same shares, so the result tells nothing of it. Work is measured by
 * what a call is given: elements, whole numbers, blocks. */

#define SMALL_NS 5000
#define MOST_SLOW 20

static double work_of(const recipe *made, PyObject *arguments, const int64_t sizes[3],
                      const uint64_t *words) {
    double work = made->block[0] ? (double)sizes[0] * (double)sizes[1] * (double)sizes[2] : 0;
    for (Py_ssize_t i = 0; i < made->argument_count; i++) {
        if (made->argument_rows[i].letter == 'a')
            work += (double)element_count((array_object *)PyTuple_GET_ITEM(arguments, i));
    }
    for (Py_ssize_t i = 0; i < made->word_count; i++) {
        const word_row *word = made->word_rows + i;
        int letter = made->argument_rows[word->argument].letter;
        if (word->letter == 'v' && letter != 'f' && letter != 'r')
            work += __builtin_fabs((double)(int64_t)words[i]);
    }
    return work;
}

/* Alone, `ns` is the time of all shares; else it is guessed from the caller's, which may be the
 * least: then the try shows it, and the next comes after twice as many calls. */
static void learn(habit *habit, double work, int alone, int64_t ns) {
    int is_fast = ns < SMALL_NS;
    if (alone) {
        habit->slow = is_fast ? 0 : habit->slow < MOST_SLOW ? habit->slow + 1 : MOST_SLOW;
        habit->wait = is_fast ? 0 : (int64_t)1 << habit->slow;
    } else {
        if (habit->wait) habit->wait--;
        if (is_fast && work > habit->small) habit->small = work;
        if (!is_fast && work <= habit->small) habit->small = work / 2;
    }
}

static int run_shares(const recipe *made, const uint64_t *words, int alone, int64_t *ns) {
    if (!alone) {
        int status = call_timed(made->kernel, words, made->workers, ns);
        *ns *= made->workers;
        return status;
    }
    int64_t start = clock_ns();
    for (int64_t w = 0; w < made->workers; w++) made->kernel(words, w, made->workers);
    *ns = clock_ns() - start;
    return 0;
}

static int run(recipe *made, PyObject *arguments, const int64_t sizes[3], const uint64_t *words,
               const int64_t *faults) {
    double work = made->workers > 1 ? work_of(made, arguments, sizes, words) : 0;
    int alone = made->workers > 1 && work <= made->habit.small && !made->habit.wait;
    int64_t ns = 0;
    int status;
    Py_BEGIN_ALLOW_THREADS
    if (made->workers > 1) status = run_shares(made, words, alone, &ns);
    else status = tl_call(made->kernel, words, made->workers);
    Py_END_ALLOW_THREADS
    if (made->workers > 1 && !status && !faults[0]) learn(&made->habit, work, alone, ns);
    return status;
}

/* ---- from Python ---- */

/* (arguments, grid, block) -> True: it ran. False: it did not, take the long way.
 * (site, index): a check ended it. */
static PyObject *quick(PyObject *capsule, PyObject *const *given, Py_ssize_t count) {
    recipe *made = PyCapsule_GetPointer(capsule, NULL);
    uint64_t words[MAX_WORDS];
    int64_t faults[2] = {0, 0}, sizes[3];
    if (!made) return NULL;
    if (count != 3) return PyErr_Format(PyExc_TypeError, "quick: needed arguments, grid and block");
    if (!is_launch(made, given[1], given[2], sizes) || !fill(made, given[0], sizes, faults, words))
        Py_RETURN_FALSE;
    if (run(made, given[0], sizes, words, faults))
        return PyErr_Format(made->error, "c runtime: %s", tl_error());
    if (faults[0]) return Py_BuildValue("LL", (long long)faults[0], (long long)faults[1]);
    Py_RETURN_TRUE;
}

/* ---- recipes: nothing in one can make a call read outside an object ---- */

static int is_sound_argument(const argument_row *row) {
    int size = row->itemsize;
    switch (row->letter) {
    case 'a': return row->rank >= 0 && size > 0;
    case 'i': case 'b': return 1;
    case 'f': return size == 4 || size == 8;
    case 'n': case 'u': case 'r':
        return (size == 1 || size == 2 || size == 4 || size == 8) && PyType_Check(row->kind)
            && ((PyTypeObject *)row->kind)->tp_basicsize >= (Py_ssize_t)sizeof(PyObject) + size;
    default: return 0;
    }
}

static int is_sound_word(const recipe *made, const word_row *word) {
    if (word->letter == '!') return 1;
    if (word->letter == 'g') return made->block[0] && word->axis >= 0 && word->axis < 3;
    if (word->argument < 0 || word->argument >= made->argument_count) return 0;
    const argument_row *row = made->argument_rows + word->argument;
    if (word->letter == 'v') return row->letter != 'a';
    if (row->letter != 'a') return 0;
    if (word->letter == 'd' || word->letter == 'c') return 1;
    return (word->letter == 'z' || word->letter == 't') && word->axis >= 0
        && word->axis < row->rank;
}

static int read_rows(recipe *made, PyObject *arguments, PyObject *words) {
    if (made->argument_count > MAX_WORDS || made->word_count > MAX_WORDS)
        return PyErr_Format(PyExc_ValueError, "quick_call: needed at most %d words",
                            MAX_WORDS) != NULL;
    for (Py_ssize_t i = 0; i < made->argument_count; i++) {
        argument_row *row = made->argument_rows + i;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(arguments, i), "COiii", &row->letter, &row->kind,
                              &row->rank, &row->flags, &row->itemsize)) return 0;
        if (!is_sound_argument(row))
            return PyErr_Format(PyExc_ValueError, "quick_call: argument %zd is unsound", i) != NULL;
    }
    for (Py_ssize_t i = 0; i < made->word_count; i++) {
        word_row *row = made->word_rows + i;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(words, i), "Cii", &row->letter, &row->argument,
                              &row->axis)) return 0;
        if (!is_sound_word(made, row))
            return PyErr_Format(PyExc_ValueError, "quick_call: word %zd is unsound", i) != NULL;
    }
    return 1;
}

static void drop(PyObject *capsule) {
    recipe *made = PyCapsule_GetPointer(capsule, NULL);
    Py_XDECREF(made->array), Py_XDECREF(made->error), Py_XDECREF(made->arguments);
    PyMem_Free(made);
}

static PyMethodDef quick_definition = {
    "quick", (PyCFunction)(void (*)(void))quick, METH_FASTCALL, NULL};

/* (address, workers, block, array class, error class, argument rows, word rows) -> quick */
static PyObject *quick_call(PyObject *module, PyObject *given) {
    recipe *made = PyMem_Calloc(1, sizeof *made);
    PyObject *capsule = made ? PyCapsule_New(made, NULL, drop) : PyErr_NoMemory();
    PyObject *array, *error, *arguments, *words, *function = NULL;
    unsigned long long address;
    long long workers, x, y, z;
    (void)module;
    if (!capsule) return PyMem_Free(made), NULL;
    if (PyArg_ParseTuple(given, "KL(LLL)O!OO!O!", &address, &workers, &x, &y, &z, &PyType_Type,
                         &array, &error, &PyTuple_Type, &arguments, &PyTuple_Type, &words)) {
        *made = (recipe){.kernel = (kernel_fn)(uintptr_t)address, .workers = workers, .habit = {.small = -1},
                         .block = {x, y, z}, .array = (PyTypeObject *)Py_NewRef(array),
                         .error = Py_NewRef(error), .arguments = Py_NewRef(arguments),
                         .argument_count = PyTuple_GET_SIZE(arguments),
                         .word_count = PyTuple_GET_SIZE(words)};
        if (read_rows(made, arguments, words)) function = PyCFunction_New(&quick_definition, capsule);
    }
    Py_DECREF(capsule);
    return function;
}

/* ---- what objects.py proves at loading ---- */

/* (array) -> data, rank, base, dtype, flags as they lie in the object, addresses as ints */
static PyObject *fields(PyObject *module, PyObject *object) {
    const array_object *array = (const array_object *)object;
    (void)module;
    if (Py_TYPE(object)->tp_basicsize < (Py_ssize_t)sizeof *array)
        return PyErr_Format(PyExc_TypeError, "fields: the object is too small for an array");
    return Py_BuildValue("KiKKi", (unsigned long long)(uintptr_t)array->data, array->rank,
                         (unsigned long long)(uintptr_t)array->base,
                         (unsigned long long)(uintptr_t)array->dtype, array->flags);
}

/* A kernel that copies its words from the second on, so many as the second says, to the first. */
static void echo(const uint64_t *args, int64_t worker, int64_t workers) {
    (void)workers;
    if (!worker) memcpy((void *)(uintptr_t)args[0], args + 1, args[1] * sizeof *args);
}

static PyObject *echo_address(PyObject *module, PyObject *none) {
    (void)module, (void)none;
    return PyLong_FromVoidPtr((void *)(uintptr_t)echo);
}

static PyMethodDef object_functions[] = {
    {"quick_call", quick_call, METH_VARARGS, NULL},
    {"fields", fields, METH_O, NULL},
    {"echo_address", echo_address, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef object_module = {
    PyModuleDef_HEAD_INIT, "_tensorlib_c_objects", NULL, 0, object_functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__tensorlib_c_objects(void) { return PyModuleDef_Init(&object_module); }
