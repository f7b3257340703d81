/* Counts how often each pair of labels meets in two masks. The twin in NumPy is numpy.py; native.py calls this.

   Three functions, each one loop without the interpreter's lock:
   count_bytes    two masks of 8 bits into a table of 256 x 256
   number         a mask of any width into numbers from 0, through a table of the labels met so far
   count_numbers  two masks of such numbers, where there are more than 256, into a table of any size

   Whatever is read is checked where it is used, so that not even a mask that another thread writes to in the
   meantime leads outside a table. Labels may lie at any address, and are read through memcpy. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(_MSC_VER)
#define INLINE static __forceinline
#elif defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

enum {
    BLOCK = 4096, /* pixels that are looked through for background at a time; both masks fit into L1 */
    CHUNK = 128,  /* pixels that are compared with their first one at a time */
    RUN = 16,     /* the same, within a chunk that is not constant */
    ALIKE = 64,   /* pixels that are compared with the one before them at a time, in masks of any width */
    BYTES = 256,  /* labels of 8 bits */
    FEW = 32,     /* labels below this have small tables of their own, which fit into L1 */
    /* Neighbouring pixels are counted in different tables: an increment that waits for the one before it in
       the same cell takes five times as long. */
    FEW_LANES = 4,
    MANY_LANES = 2,
};

/* --- Buffers ---------------------------------------------------------------------------------------------- */

/* Take a contiguous buffer of one of the given formats, which are those of the struct module. */
static int take(PyObject *object, Py_buffer *view, const char *formats, int writable)
{
    if (PyObject_GetBuffer(object, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0)))
        return -1;
    const char *format = view->format ? view->format : "B";
    if (strlen(format) != 1 || !strchr(formats, *format)) {
        PyErr_Format(PyExc_TypeError, "a buffer of format '%s' where one of '%s' is wanted", format, formats);
        PyBuffer_Release(view);
        return -1;
    }
    if (writable && (uintptr_t)view->buf % (uintptr_t)view->itemsize) {
        PyErr_SetString(PyExc_ValueError, "a table at an address that is no multiple of its items' size");
        PyBuffer_Release(view);
        return -1;
    }
    return 0;
}

static int is_signed(const Py_buffer *view)
{
    return view->format && strchr("bhilq", *view->format) != NULL;
}

static Py_ssize_t items(const Py_buffer *view)
{
    return view->len / view->itemsize;
}

/* --- 8-bit labels ----------------------------------------------------------------------------------------- */

typedef struct {
    uint32_t few[FEW_LANES * FEW * FEW];
    uint32_t *many; /* MANY_LANES tables, from the first label on that is not below FEW */
    int64_t *table; /* what the 32-bit tables are added to before they can overflow */
    uint64_t reference_bits, prediction_bits; /* those set in some label, in any byte of the word */
} Tally;

INLINE uint64_t load_word(const void *address)
{
    uint64_t word;
    memcpy(&word, address, sizeof word);
    return word;
}

/* Tell whether all labels of two chunks are like their first ones. */
INLINE int is_constant(const uint8_t *reference, const uint8_t *prediction)
{
    const uint64_t first = reference[0] * UINT64_C(0x0101010101010101);
    const uint64_t second = prediction[0] * UINT64_C(0x0101010101010101);
    uint64_t different = 0;
    for (int i = 0; i < CHUNK; i += 8)
        different |= (load_word(reference + i) ^ first) | (load_word(prediction + i) ^ second);
    return !different;
}

/* Count one chunk pixel by pixel, but runs at once. */
INLINE void count_chunk(uint32_t *tables, int shift, int lanes, const uint8_t *reference,
                        const uint8_t *prediction)
{
    const unsigned mask = (1u << shift) - 1;
    const size_t cells = (size_t)1 << (2 * shift);
    uint16_t pairs[CHUNK];
    for (int i = 0; i < CHUNK; i++)
        pairs[i] = (uint16_t)(((reference[i] & mask) << shift) | (prediction[i] & mask));
    for (int start = 0; start < CHUNK; start += RUN) {
        const uint64_t first = pairs[start] * UINT64_C(0x0001000100010001);
        uint64_t different = 0;
        for (int i = 0; i < RUN; i += 4)
            different |= load_word(pairs + start + i) ^ first;
        if (!different) {
            tables[pairs[start]] += RUN;
            continue;
        }
        for (int i = 0; i < RUN; i++)
            tables[(size_t)(i % lanes) * cells + pairs[start + i]]++;
    }
}

INLINE void count_span(uint32_t *tables, int shift, int lanes, const uint8_t *reference,
                       const uint8_t *prediction, size_t n)
{
    const unsigned mask = (1u << shift) - 1;
    size_t i = 0;
    for (; n - i >= CHUNK; i += CHUNK) {
        if (is_constant(reference + i, prediction + i))
            tables[((reference[i] & mask) << shift) | (prediction[i] & mask)] += CHUNK;
        else
            count_chunk(tables, shift, lanes, reference + i, prediction + i);
    }
    for (; i < n; i++)
        tables[((reference[i] & mask) << shift) | (prediction[i] & mask)]++;
}

/* Return the bits that are set in some label, anywhere in the word. */
INLINE uint64_t bits_of(const uint8_t *labels, size_t n)
{
    uint64_t bits = 0;
    size_t i = 0;
    for (; n - i >= 64; i += 64)
        for (int k = 0; k < 64; k += 8)
            bits |= load_word(labels + i + k);
    for (; i < n; i++)
        bits |= labels[i];
    return bits;
}

/* Return the least power of two above all labels whose bits these are. */
static int bound(uint64_t bits)
{
    int labels = 1;
    bits |= bits >> 32;
    bits |= bits >> 16;
    bits |= bits >> 8;
    while (labels <= (int)(bits & 255))
        labels *= 2;
    return labels;
}

static void fold_tables(const Tally *tally, uint32_t *tables, int labels, int lanes)
{
    const int rows = bound(tally->reference_bits), columns = bound(tally->prediction_bits);
    for (int row = 0; row < rows && row < labels; row++)
        for (int column = 0; column < columns && column < labels; column++) {
            uint64_t n = 0;
            for (int lane = 0; lane < lanes; lane++) {
                uint32_t *cell = &tables[((size_t)lane * labels + row) * labels + column];
                n += *cell;
                if (*cell) /* a page of zeros that nobody wrote to costs no memory */
                    *cell = 0;
            }
            if (n)
                tally->table[row * BYTES + column] += (int64_t)n;
        }
}

/* Add the 32-bit tables to the large one, and empty them. */
static void fold(Tally *tally)
{
    fold_tables(tally, tally->few, FEW, FEW_LANES);
    if (tally->many)
        fold_tables(tally, tally->many, BYTES, MANY_LANES);
}

/* Count at most BLOCK pixels; returns -1 where memory is lacking. */
static int count_block(Tally *tally, const uint8_t *reference, const uint8_t *prediction, size_t n)
{
    const uint64_t rows = bits_of(reference, n), columns = bits_of(prediction, n);
    tally->reference_bits |= rows;
    tally->prediction_bits |= columns;
    if (!(rows | columns)) {
        tally->few[0] += (uint32_t)n;
        return 0;
    }
    if (!((rows | columns) & UINT64_C(0xe0e0e0e0e0e0e0e0))) { /* all below FEW */
        count_span(tally->few, 5, FEW_LANES, reference, prediction, n);
        return 0;
    }
    if (!tally->many && !(tally->many = calloc(MANY_LANES * BYTES * BYTES, sizeof *tally->many)))
        return -1;
    count_span(tally->many, 8, MANY_LANES, reference, prediction, n);
    return 0;
}

static int count_all(Tally *tally, const uint8_t *reference, const uint8_t *prediction, size_t n, size_t limit)
{
    size_t since = 0;
    while (n) {
        size_t step = n < BLOCK ? n : BLOCK;
        if (step > limit)
            step = limit;
        if (since + step > limit) {
            fold(tally);
            since = 0;
        }
        if (count_block(tally, reference, prediction, step))
            return -1;
        reference += step, prediction += step, since += step, n -= step;
    }
    fold(tally);
    return 0;
}

PyDoc_STRVAR(count_bytes_doc,
"count_bytes(reference, prediction, table, limit=2147483647, /)\n--\n\n"
"Add how often each pair of 8-bit labels meets to a table of 256 x 256 (int64).\n\n"
"Signed labels are counted as the bytes they are. Inside, at most `limit` pixels are counted in 32 bits.\n"
"Returns two numbers of labels: no label of the reference, and none of the prediction, reaches them.");

static PyObject *count_bytes(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    PyObject *objects[3], *result = NULL;
    Py_ssize_t limit = INT32_MAX;
    Py_buffer reference, prediction, table;
    Tally tally = {.many = NULL};
    int failed;
    if (!PyArg_ParseTuple(arguments, "OOO|n", &objects[0], &objects[1], &objects[2], &limit))
        return NULL;
    if (take(objects[0], &reference, "bB?", 0))
        return NULL;
    if (take(objects[1], &prediction, "bB?", 0))
        goto release_reference;
    if (take(objects[2], &table, "lq", 1))
        goto release_prediction;
    if (reference.len != prediction.len)
        PyErr_SetString(PyExc_ValueError, "the masks differ in length");
    else if (table.itemsize != 8 || items(&table) != BYTES * BYTES)
        PyErr_SetString(PyExc_ValueError, "the table is not 256 x 256 of 64 bits");
    else if (limit < 1 || (uint64_t)limit > UINT32_MAX)
        PyErr_SetString(PyExc_ValueError, "the limit does not fit into 32 bits");
    else {
        tally.table = table.buf;
        Py_BEGIN_ALLOW_THREADS
        failed = count_all(&tally, reference.buf, prediction.buf, (size_t)reference.len, (size_t)limit);
        free(tally.many);
        Py_END_ALLOW_THREADS
        result = failed ? PyErr_NoMemory()
                        : Py_BuildValue("ii", bound(tally.reference_bits), bound(tally.prediction_bits));
    }
    PyBuffer_Release(&table);
release_prediction:
    PyBuffer_Release(&prediction);
release_reference:
    PyBuffer_Release(&reference);
    return result;
}

/* --- Labels of any width ---------------------------------------------------------------------------------- */

typedef struct {
    const char *labels;
    Py_ssize_t n;
    uint64_t low;       /* the label of the first place in the table */
    uint16_t *table;    /* at the place of each label its number + 1, or 0 where it was not met yet */
    uint64_t size;
    int64_t *found;     /* at each number its label */
    Py_ssize_t known, capacity;
    uint8_t *bytes;     /* the numbers go here, or to the next one */
    uint16_t *words;
    Py_ssize_t at;      /* where it ended */
} Numbering;

/* Read a label; a signed one as its two's complement. */
INLINE uint64_t label_at(const char *labels, Py_ssize_t i, int width, int with_sign)
{
    uint8_t one;
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    const char *address = labels + i * width;
    switch (width) {
    case 1: memcpy(&one, address, 1); return with_sign ? (uint64_t)(int64_t)(int8_t)one : one;
    case 2: memcpy(&two, address, 2); return with_sign ? (uint64_t)(int64_t)(int16_t)two : two;
    case 4: memcpy(&four, address, 4); return with_sign ? (uint64_t)(int64_t)(int32_t)four : four;
    default: memcpy(&eight, address, 8); return eight;
    }
}

INLINE void put(const Numbering *to, Py_ssize_t i, uint16_t number)
{
    if (to->bytes)
        to->bytes[i] = (uint8_t)number;
    else
        to->words[i] = number;
}

/* Number all labels. Returns 0 when that was done, 1 when there are more labels than numbers, and -1 when a
   label lies beyond the table. */
INLINE int number_all(Numbering *all, int width, int with_sign)
{
    const Numbering fixed = *all;
    uint64_t known = (uint64_t)all->known;
    uint16_t number = 0;
    for (Py_ssize_t i = 0; i < fixed.n;) {
        Py_ssize_t end = fixed.n - i < ALIKE ? fixed.n : i + ALIKE;
        if (i && end - i == ALIKE &&
            !memcmp(fixed.labels + i * width, fixed.labels + (i - 1) * width, (size_t)ALIKE * width)) {
            for (; i < end; i++)
                put(&fixed, i, (uint16_t)(number - 1));
            continue;
        }
        for (; i < end; i++) {
            const uint64_t label = label_at(fixed.labels, i, width, with_sign);
            const uint64_t place = label - fixed.low;
            all->at = i;
            if (place >= fixed.size)
                return -1;
            number = fixed.table[place];
            if ((uint16_t)(number - 1) >= known) {
                if (number) /* not a table that this function filled */
                    return -1;
                if (known == (uint64_t)fixed.capacity)
                    return 1;
                fixed.found[known++] = (int64_t)label;
                all->known = (Py_ssize_t)known;
                fixed.table[place] = number = (uint16_t)known;
            }
            put(&fixed, i, (uint16_t)(number - 1));
        }
    }
    return 0;
}

static int number_width(Numbering *all, Py_ssize_t width, int with_sign)
{
    switch (width * 2 + with_sign) {
    case 2: return number_all(all, 1, 0);
    case 3: return number_all(all, 1, 1);
    case 4: return number_all(all, 2, 0);
    case 5: return number_all(all, 2, 1);
    case 8: return number_all(all, 4, 0);
    case 9: return number_all(all, 4, 1);
    default: return number_all(all, 8, 0); /* the same with a sign */
    }
}

/* Check what number() was given; sets an error and returns -1 where it does not go together. */
static int check_numbering(const Py_buffer *labels, const Py_buffer *table, const Py_buffer *found,
                           const Py_buffer *codes, long long low, Py_ssize_t known)
{
    const long long most = 1LL << 62; /* nearer to the ends of 64 bits, a difference of labels could wrap */
    if (labels->itemsize > 8 || found->itemsize != 8 || table->itemsize != 2)
        PyErr_SetString(PyExc_ValueError, "a buffer's items are of another width than is wanted");
    else if (items(codes) != items(labels))
        PyErr_SetString(PyExc_ValueError, "the labels and their numbers differ in length");
    else if (low < -most || low > most || (low < 0 && !is_signed(labels)))
        PyErr_SetString(PyExc_ValueError, "the table begins where no such label can be");
    else if (known < 0 || known > items(found) || items(found) > (codes->itemsize == 1 ? BYTES : UINT16_MAX))
        PyErr_SetString(PyExc_ValueError, "more labels than numbers");
    else
        return 0;
    return -1;
}

PyDoc_STRVAR(number_doc,
"number(labels, low, table, found, known, codes, /)\n--\n\n"
"Number the labels of a mask in the order in which they are met.\n\n"
"`table` (uint16, zeros at first) has a place for each label from `low` on, `found` (int64) one for each\n"
"number, of which `known` are taken; both go on from call to call. The numbers go to `codes` (uint8 or\n"
"uint16). Returns how many labels are known now, or len(found) + 1 where there are more than that.\n"
"IndexError: a label lies beyond the table.");

static PyObject *number(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    PyObject *objects[4], *result = NULL;
    Py_buffer views[4]; /* labels, table, found, codes */
    static const char *const formats[4] = {"bBhHiIlLqQ?", "H", "lq", "BH"};
    long long low;
    Py_ssize_t known;
    int taken = 0, state;
    if (!PyArg_ParseTuple(arguments, "OLOOnO", &objects[0], &low, &objects[1], &objects[2], &known, &objects[3]))
        return NULL;
    for (; taken < 4; taken++)
        if (take(objects[taken], &views[taken], formats[taken], taken > 0))
            goto release;
    if (check_numbering(&views[0], &views[1], &views[2], &views[3], low, known))
        goto release;
    Numbering all = {
        .labels = views[0].buf, .n = items(&views[0]), .low = (uint64_t)low,
        .table = views[1].buf, .size = (uint64_t)items(&views[1]),
        .found = views[2].buf, .known = known, .capacity = items(&views[2]),
        .bytes = views[3].itemsize == 1 ? views[3].buf : NULL,
        .words = views[3].itemsize == 1 ? NULL : views[3].buf,
    };
    Py_BEGIN_ALLOW_THREADS
    state = number_width(&all, views[0].itemsize, is_signed(&views[0]));
    Py_END_ALLOW_THREADS
    if (state < 0)
        PyErr_Format(PyExc_IndexError, "the label of pixel %zd lies beyond the table", all.at);
    else
        result = PyLong_FromSsize_t(state ? all.capacity + 1 : all.known);
release:
    while (taken)
        PyBuffer_Release(&views[--taken]);
    return result;
}

/* --- Numbers of more than 8 bits -------------------------------------------------------------------------- */

/* Add the pairs of numbers to a table. Returns the first pixel that lies beyond it, or n. */
static Py_ssize_t add_numbers(const char *reference, const char *prediction, Py_ssize_t n, int64_t *table,
                              uint64_t rows, uint64_t columns)
{
    uint64_t cell = 0;
    for (Py_ssize_t i = 0; i < n;) {
        Py_ssize_t end = n - i < ALIKE ? n : i + ALIKE;
        if (i && end - i == ALIKE && !memcmp(reference + 2 * i, reference + 2 * (i - 1), 2 * ALIKE) &&
            !memcmp(prediction + 2 * i, prediction + 2 * (i - 1), 2 * ALIKE)) {
            table[cell] += ALIKE;
            i = end;
            continue;
        }
        for (; i < end; i++) {
            const uint64_t row = label_at(reference, i, 2, 0), column = label_at(prediction, i, 2, 0);
            if (row >= rows || column >= columns)
                return i;
            cell = row * columns + column;
            table[cell]++;
        }
    }
    return n;
}

PyDoc_STRVAR(count_numbers_doc,
"count_numbers(reference, prediction, table, /)\n--\n\n"
"Add how often each pair of numbers (uint16) meets to a table (int64, rows x columns).\n\n"
"IndexError: a number lies beyond the table; the pixels before it were counted.");

static PyObject *count_numbers(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    PyObject *objects[3], *result = NULL;
    Py_buffer views[3]; /* reference, prediction, table */
    Py_ssize_t n, end;
    int taken = 0;
    if (!PyArg_ParseTuple(arguments, "OOO", &objects[0], &objects[1], &objects[2]))
        return NULL;
    for (; taken < 3; taken++)
        if (take(objects[taken], &views[taken], taken < 2 ? "H" : "lq", taken == 2))
            goto release;
    n = items(&views[0]);
    if (views[0].itemsize != 2 || n != items(&views[1]))
        PyErr_SetString(PyExc_ValueError, "the masks differ in length");
    else if (views[2].itemsize != 8 || views[2].ndim != 2)
        PyErr_SetString(PyExc_ValueError, "the table is not one of rows and columns of 64 bits");
    else {
        Py_BEGIN_ALLOW_THREADS
        end = add_numbers(views[0].buf, views[1].buf, n, views[2].buf, (uint64_t)views[2].shape[0],
                          (uint64_t)views[2].shape[1]);
        Py_END_ALLOW_THREADS
        if (end < n)
            PyErr_Format(PyExc_IndexError, "a number of pixel %zd lies beyond the table", end);
        else
            result = Py_NewRef(Py_None);
    }
release:
    while (taken)
        PyBuffer_Release(&views[--taken]);
    return result;
}

/* --- The module ------------------------------------------------------------------------------------------- */

static PyMethodDef methods[] = {
    {"count_bytes", count_bytes, METH_VARARGS, count_bytes_doc},
    {"number", number, METH_VARARGS, number_doc},
    {"count_numbers", count_numbers, METH_VARARGS, count_numbers_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_native",
    .m_doc = "The joint histogram of two masks, in C.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&definition);
}
