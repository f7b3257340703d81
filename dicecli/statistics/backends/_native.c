/* Counts how often each pair of labels meets in two masks. The twin in NumPy is numpy.py; native.py calls this.

   Three functions, each one loop without the interpreter's lock:
   count_near     two masks whose labels lie within 256 of a least one, into a table of 256 x 256
   count_far      two masks whose labels lie farther apart, into a table of any size
   number         labels too far apart for either into numbers from 0, through a table of those met so far

   Whatever is read is checked where it is used, so that not even a mask that another thread writes to in the
   meantime leads outside a table. Labels may lie at any address, and are read through memcpy. A label's place
   in a table is its distance from the first one, reckoned modulo the labels' width; as every table ends where
   the type does or before, no label outside comes out inside. */

#include "_extension.h"

enum {
    BLOCK = 4096, /* pixels that are looked through for background at a time; both masks fit into L1 */
    CHUNK = 128,  /* pixels that are compared with their first one at a time */
    RUN = 16,     /* the same, within a chunk that is not constant */
    BYTES = 256,  /* labels of 8 bits */
    FEW = 32,     /* places below this have small tables of their own, which fit into L1 */
    FAR = 65535,  /* rows or columns that a table can have: places are 16 bits there */
    LANES = 4,    /* of those, so that few increments wait for the one before them in the same cell */
};

enum { DONE, BEYOND, FULL };

/* --- Buffers ---------------------------------------------------------------------------------------------- */

#define ANY "bBhHiIlLqQ?"
#define INT64 "lq"
#define UINT32 "IL"

/* The format without what may stand before it and leaves the order of bytes as it is. */
static const char *format_of(const Py_buffer *view)
{
    const char *format = view->format ? view->format : "B";
    return *format && strchr("@=^", *format) ? format + 1 : format;
}

/* Take a contiguous buffer of one of the given formats, which are those of the struct module. */
static int take(PyObject *object, Py_buffer *view, const char *formats, int writable)
{
    if (PyObject_GetBuffer(object, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0)))
        return -1;
    const char *format = format_of(view);
    const Py_ssize_t width = !strcmp(formats, INT64) ? 8 : !strcmp(formats, UINT32) ? 4 : view->itemsize;
    if (strlen(format) != 1 || !strchr(formats, *format) || view->itemsize != width)
        PyErr_Format(PyExc_TypeError, "a buffer of format '%s' where one of '%s' is wanted", format, formats);
    else if (view->itemsize > 8 || (writable && (uintptr_t)view->buf % (uintptr_t)view->itemsize))
        PyErr_SetString(PyExc_ValueError, "a table at an address that is no multiple of its items' size");
    else
        return 0;
    PyBuffer_Release(view);
    return -1;
}

static Py_ssize_t items(const Py_buffer *view)
{
    return view->len / view->itemsize;
}

/* Check that a table of `size` places from the label `low` on ends within the type of the labels. */
static int is_within(const Py_buffer *labels, long long low, uint64_t size)
{
    const int bits = (int)labels->itemsize * 8, with_sign = strchr("bhilq", *format_of(labels)) != NULL;
    const uint64_t most = UINT64_MAX >> (64 - bits + with_sign);
    if (with_sign ? low < -(long long)most - 1 : low < 0)
        return 0;
    return (low <= 0 || (uint64_t)low <= most) && size - 1 <= most - (uint64_t)low;
}

/* --- Masks ------------------------------------------------------------------------------------------------ */

typedef struct {
    const char *labels;
    size_t n;
    int width;    /* bytes of a label */
    uint64_t low; /* the label of the first place; a negative one as its two's complement */
} Mask;

static Mask mask_of(const Py_buffer *view, long long low)
{
    Mask mask = {view->buf, (size_t)items(view), (int)view->itemsize, (uint64_t)low};
    return mask;
}

/* For labels of one width above 8 bits: one place as it is; the bits that are set in some place; and all
   places as 8 or as 16 bits, cut off. */
#define DEFINE_PLACES(TYPE)                                                                                   \
    INLINE TYPE place_of_##TYPE(const char *labels, size_t i, TYPE low)                                       \
    {                                                                                                         \
        TYPE label;                                                                                           \
        memcpy(&label, labels + i * sizeof label, sizeof label);                                              \
        return (TYPE)(label - low);                                                                           \
    }                                                                                                         \
    WIDE static uint64_t bits_of_##TYPE(const char *labels, size_t n, TYPE low)                                    \
    {                                                                                                         \
        TYPE bits = 0;                                                                                        \
        for (size_t i = 0; i < n; i++)                                                                        \
            bits |= place_of_##TYPE(labels, i, low);                                                          \
        return bits;                                                                                          \
    }                                                                                                         \
    WIDE static void bytes_of_##TYPE(const char *labels, size_t n, TYPE low, uint8_t *places)                      \
    {                                                                                                         \
        for (size_t i = 0; i < n; i++)                                                                        \
            places[i] = (uint8_t)place_of_##TYPE(labels, i, low);                                             \
    }                                                                                                         \
    WIDE static uint64_t words_of_##TYPE(const char *labels, size_t n, TYPE low, uint16_t *places)                 \
    {                                                                                                         \
        TYPE bits = 0;                                                                                        \
        for (size_t i = 0; i < n; i++) {                                                                      \
            const TYPE place = place_of_##TYPE(labels, i, low);                                               \
            bits |= place;                                                                                    \
            places[i] = (uint16_t)place;                                                                      \
        }                                                                                                     \
        return bits;                                                                                          \
    }

DEFINE_PLACES(uint16_t)
DEFINE_PLACES(uint32_t)
DEFINE_PLACES(uint64_t)

WIDE static uint64_t bits_of_bytes(const char *bytes, size_t n)
{
    uint64_t bits = 0;
    size_t i = 0;
    for (; n - i >= 64; i += 64)
        for (int k = 0; k < 64; k += 8)
            bits |= load_word(bytes + i + k);
    for (; i < n; i++)
        bits |= (uint8_t)bytes[i];
    bits |= bits >> 32;
    bits |= bits >> 16;
    return (bits | bits >> 8) & 255;
}

/* Return the bits that are set in some of a block's places. */
static uint64_t bits_of(const Mask *mask, size_t start, size_t n)
{
    const char *labels = mask->labels + start * (size_t)mask->width;
    switch (mask->width) {
    case 1: return bits_of_bytes(labels, n);
    case 2: return bits_of_uint16_t(labels, n, (uint16_t)mask->low);
    case 4: return bits_of_uint32_t(labels, n, (uint32_t)mask->low);
    default: return bits_of_uint64_t(labels, n, mask->low);
    }
}

/* Return a block's places as bytes, in `buffer` or where the mask has them. */
static const uint8_t *bytes_of(const Mask *mask, size_t start, size_t n, uint8_t *buffer)
{
    const char *labels = mask->labels + start * (size_t)mask->width;
    switch (mask->width) {
    case 1: return (const uint8_t *)labels;
    case 2: bytes_of_uint16_t(labels, n, (uint16_t)mask->low, buffer); break;
    case 4: bytes_of_uint32_t(labels, n, (uint32_t)mask->low, buffer); break;
    default: bytes_of_uint64_t(labels, n, mask->low, buffer);
    }
    return buffer;
}

/* Write a block's places as 16 bits; returns the bits that are set in some of them. */
static uint64_t words_of(const Mask *mask, size_t start, size_t n, uint16_t *places)
{
    const char *labels = mask->labels + start * (size_t)mask->width;
    switch (mask->width) {
    case 1:
        for (size_t i = 0; i < n; i++)
            places[i] = (uint8_t)(labels[i] - (uint8_t)mask->low);
        return 0;
    case 2: return words_of_uint16_t(labels, n, (uint16_t)mask->low, places);
    case 4: return words_of_uint32_t(labels, n, (uint32_t)mask->low, places);
    default: return words_of_uint64_t(labels, n, mask->low, places);
    }
}

/* --- Labels within 256 ------------------------------------------------------------------------------------ */

typedef struct {
    uint32_t few[LANES][FEW * FEW]; /* added to the table before they can overflow */
    int64_t *table;
    uint64_t rows, columns; /* all bits of the places met */
} Tally;

/* Tell whether all places of two chunks are like their first ones. */
INLINE int is_constant(const uint8_t *reference, const uint8_t *prediction)
{
    const uint64_t first = repeat_byte(reference[0]);
    const uint64_t second = repeat_byte(prediction[0]);
    uint64_t different = 0;
    for (int i = 0; i < CHUNK; i += 8)
        different |= (load_word(reference + i) ^ first) | (load_word(prediction + i) ^ second);
    return !different;
}

/* Add a pair that lies at `i` in its chunk, `n` times. */
INLINE void add(Tally *tally, int is_few, int i, unsigned pair, unsigned n)
{
    if (is_few)
        tally->few[i % LANES][pair] += n;
    else
        tally->table[pair] += n;
}

/* Count one block: chunks that are constant at once, runs in the others as well, and the rest by the pixel. */
INLINE void count_places(Tally *tally, int is_few, const uint8_t *reference, const uint8_t *prediction, size_t n)
{
    const int shift = is_few ? 5 : 8;
    const unsigned mask = (1u << shift) - 1;
    uint16_t pairs[CHUNK];
    for (; n >= CHUNK; n -= CHUNK, reference += CHUNK, prediction += CHUNK) {
        if (is_constant(reference, prediction)) {
            add(tally, is_few, 0, ((*reference & mask) << shift) | (*prediction & mask), CHUNK);
            continue;
        }
        for (int i = 0; i < CHUNK; i++)
            pairs[i] = (uint16_t)(((reference[i] & mask) << shift) | (prediction[i] & mask));
        for (int run = 0; run < CHUNK; run += RUN) {
            const uint64_t first = repeat_pair(pairs[run]);
            uint64_t different = 0;
            for (int i = run; i < run + RUN; i += 4)
                different |= load_word(pairs + i) ^ first;
            if (!different)
                add(tally, is_few, 0, pairs[run], RUN);
            else
                for (int i = run; i < run + RUN; i++)
                    add(tally, is_few, i, pairs[i], 1);
        }
    }
    for (size_t i = 0; i < n; i++)
        add(tally, is_few, 0, ((reference[i] & mask) << shift) | (prediction[i] & mask), 1);
}

/* Add the 32-bit tables to the large one, and empty them. */
static void fold(Tally *tally)
{
    for (int row = 0; row < FEW; row++)
        for (int column = 0; column < FEW; column++)
            for (int lane = 0; lane < LANES; lane++)
                tally->table[row * BYTES + column] += tally->few[lane][row * FEW + column];
    memset(tally->few, 0, sizeof tally->few);
}

/* Count at most BLOCK pixels. */
static int count_block(Tally *tally, const Mask *reference, const Mask *prediction, size_t start, size_t n)
{
    const uint64_t rows = bits_of(reference, start, n), columns = bits_of(prediction, start, n);
    if ((rows | columns) >= BYTES)
        return BEYOND;
    tally->rows |= rows;
    tally->columns |= columns;
    if (!(rows | columns)) {
        tally->few[0][0] += (uint32_t)n;
        return DONE;
    }
    uint8_t buffers[2][BLOCK];
    const uint8_t *first = bytes_of(reference, start, n, buffers[0]);
    const uint8_t *second = bytes_of(prediction, start, n, buffers[1]);
    if ((rows | columns) < FEW)
        count_places(tally, 1, first, second, n);
    else
        count_places(tally, 0, first, second, n);
    return DONE;
}

static int count_blocks(Tally *tally, const Mask *reference, const Mask *prediction, size_t limit)
{
    size_t since = 0;
    for (size_t start = 0, step; start < reference->n; start += step, since += step) {
        step = reference->n - start < BLOCK ? reference->n - start : BLOCK;
        if (step > limit)
            step = limit;
        if (since + step > limit) {
            fold(tally);
            since = 0;
        }
        if (count_block(tally, reference, prediction, start, step) != DONE)
            return BEYOND;
    }
    fold(tally);
    return DONE;
}

/* Return the least power of two above all places whose bits these are. */
static int bound(uint64_t bits)
{
    int places = 1;
    while ((uint64_t)places <= bits)
        places *= 2;
    return places;
}

PyDoc_STRVAR(count_near_doc,
"count_near(reference, prediction, table, reference_low, prediction_low, limit=2147483647, /)\n--\n\n"
"Add how often each pair of labels meets to a table of 256 x 256 (int64), whose first row and column are\n"
"those of the lows. 8-bit labels are counted as the bytes they are, signed or not; their low is 0.\n\n"
"Inside, at most `limit` pixels are counted in 32 bits. Returns two numbers of places: the rows and columns\n"
"from there on hold nothing new. IndexError: a label lies beyond the table, which is of no use then.");

static PyObject *count_near(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    PyObject *objects[3], *result = NULL;
    Py_buffer views[3]; /* reference, prediction, table */
    static const char *const formats[3] = {ANY, ANY, INT64};
    long long lows[2];
    Py_ssize_t limit = INT32_MAX;
    Tally tally = {.rows = 0};
    int taken = 0, state, is_sound = 1;
    if (!PyArg_ParseTuple(arguments, "OOOLL|n", &objects[0], &objects[1], &objects[2], &lows[0], &lows[1], &limit))
        return NULL;
    for (; taken < 3; taken++)
        if (take(objects[taken], &views[taken], formats[taken], taken == 2))
            goto release;
    for (int side = 0; side < 2; side++)
        is_sound &= views[side].itemsize == 1 ? !lows[side] : is_within(&views[side], lows[side], BYTES);
    if (items(&views[0]) != items(&views[1]))
        PyErr_SetString(PyExc_ValueError, "the masks differ in length");
    else if (items(&views[2]) != BYTES * BYTES)
        PyErr_SetString(PyExc_ValueError, "the table is not 256 x 256");
    else if (!is_sound)
        PyErr_SetString(PyExc_ValueError, "the table begins or ends where no such label can be");
    else if (limit < 1 || (uint64_t)limit > UINT32_MAX)
        PyErr_SetString(PyExc_ValueError, "the limit does not fit into 32 bits");
    else {
        const Mask reference = mask_of(&views[0], lows[0]), prediction = mask_of(&views[1], lows[1]);
        tally.table = views[2].buf;
        Py_BEGIN_ALLOW_THREADS
        state = count_blocks(&tally, &reference, &prediction, (size_t)limit);
        Py_END_ALLOW_THREADS
        if (state == DONE)
            result = Py_BuildValue("ii", bound(tally.rows), bound(tally.columns));
        else
            PyErr_SetString(PyExc_IndexError, "a label lies beyond the table");
    }
release:
    while (taken)
        PyBuffer_Release(&views[--taken]);
    return result;
}

/* --- Labels farther apart --------------------------------------------------------------------------------- */

WIDE static unsigned highest(const uint16_t *places, size_t n)
{
    uint16_t most = 0;
    for (size_t i = 0; i < n; i++)
        most = places[i] > most ? places[i] : most;
    return most;
}

/* Add the pairs of places to a table of rows and columns. The blocks are copies, so that what is checked is
   what is used. */
static int add_far(const Mask *reference, const Mask *prediction, uint32_t *table, size_t rows, size_t columns)
{
    uint16_t first[BLOCK], second[BLOCK];
    for (size_t start = 0, n; start < reference->n; start += n) {
        n = reference->n - start < BLOCK ? reference->n - start : BLOCK;
        if ((words_of(reference, start, n, first) | words_of(prediction, start, n, second)) > FAR)
            return BEYOND;
        if (highest(first, n) >= rows || highest(second, n) >= columns)
            return BEYOND;
        size_t i = 0;
        for (; n - i >= RUN; i += RUN) {
            uint64_t different = 0;
            for (int k = 0; k < RUN; k += 4)
                different |= (load_word(first + i + k) ^ repeat_pair(first[i])) |
                             (load_word(second + i + k) ^ repeat_pair(second[i]));
            if (!different)
                table[first[i] * columns + second[i]] += RUN;
            else
                for (size_t k = i; k < i + RUN; k++)
                    table[first[k] * columns + second[k]]++;
        }
        for (; i < n; i++)
            table[first[i] * columns + second[i]]++;
    }
    return DONE;
}

PyDoc_STRVAR(count_far_doc,
"count_far(reference, prediction, table, reference_low, prediction_low, /)\n--\n\n"
"Add how often each pair of labels meets to a table (uint32) of up to 65,535 rows and columns, whose first\n"
"ones are those of the lows. It is the caller's to count less than 2^32 pixels into one table.\n"
"IndexError: a label lies beyond the table, which is of no use then.");

static PyObject *count_far(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    PyObject *objects[3], *result = NULL;
    Py_buffer views[3]; /* reference, prediction, table */
    static const char *const formats[3] = {ANY, ANY, UINT32};
    long long lows[2];
    int taken = 0, state, is_sound;
    if (!PyArg_ParseTuple(arguments, "OOOLL", &objects[0], &objects[1], &objects[2], &lows[0], &lows[1]))
        return NULL;
    for (; taken < 3; taken++)
        if (take(objects[taken], &views[taken], formats[taken], taken == 2))
            goto release;
    is_sound = views[2].ndim == 2;
    for (int side = 0; side < 2 && is_sound; side++) {
        const Py_ssize_t places = views[2].shape[side];
        is_sound = places > 0 && places <= FAR && is_within(&views[side], lows[side], (uint64_t)places);
    }
    if (items(&views[0]) != items(&views[1]))
        PyErr_SetString(PyExc_ValueError, "the masks differ in length");
    else if (!is_sound)
        PyErr_SetString(PyExc_ValueError, "the table has no such rows and columns as these labels can have");
    else {
        const Mask reference = mask_of(&views[0], lows[0]), prediction = mask_of(&views[1], lows[1]);
        Py_BEGIN_ALLOW_THREADS
        state = add_far(&reference, &prediction, views[2].buf, (size_t)views[2].shape[0],
                        (size_t)views[2].shape[1]);
        Py_END_ALLOW_THREADS
        if (state == DONE)
            result = Py_NewRef(Py_None);
        else
            PyErr_SetString(PyExc_IndexError, "a label lies beyond the table");
    }
release:
    while (taken)
        PyBuffer_Release(&views[--taken]);
    return result;
}

/* --- Labels too far apart --------------------------------------------------------------------------------- */

typedef struct {
    uint16_t *table; /* at the place of each label its number + 1, or 0 where it was not met yet */
    uint64_t size;
    int64_t *found;  /* at each number its label */
    size_t known, capacity;
} Numbers;

INLINE uint64_t place_of(const Mask *mask, int width, size_t i)
{
    switch (width) {
    case 1: return (uint8_t)(mask->labels[i] - (uint8_t)mask->low);
    case 2: return place_of_uint16_t(mask->labels, i, (uint16_t)mask->low);
    case 4: return place_of_uint32_t(mask->labels, i, (uint32_t)mask->low);
    default: return place_of_uint64_t(mask->labels, i, mask->low);
    }
}

/* Number some labels one by one, and new ones among them. Returns whether there were numbers for all. */
static int number_new(const Mask *mask, size_t start, size_t end, Numbers *numbers, uint16_t *codes)
{
    for (size_t i = start; i < end; i++) {
        const uint64_t place = place_of(mask, mask->width, i);
        if (place >= numbers->size)
            return BEYOND;
        uint16_t number = numbers->table[place];
        if (!number) {
            if (numbers->known == numbers->capacity)
                return FULL;
            numbers->found[numbers->known++] = (int64_t)(mask->low + place);
            numbers->table[place] = number = (uint16_t)numbers->known;
        }
        if (number > numbers->known) /* not a table that this function filled */
            return BEYOND;
        codes[i] = (uint16_t)(number - 1);
    }
    return DONE;
}

/* Tell whether the labels of a run are like the one before it. */
INLINE int is_repeated(const Mask *mask, int width, size_t start)
{
    const char *labels = mask->labels + start * (size_t)width;
    uint64_t different = 0;
    for (int i = 0; i < RUN * width; i += 8)
        different |= load_word(labels + i) ^ load_word(labels + i - width);
    return !different;
}

/* Number labels that were met before, a run of them at a time; the others one by one. */
INLINE int number_all(const Mask *mask, int width, Numbers *numbers, uint16_t *codes)
{
    const uint16_t *table = numbers->table;
    const uint64_t size = numbers->size;
    size_t i = 0;
    for (; mask->n - i >= RUN; i += RUN) {
        int is_new = 0;
        if (i && is_repeated(mask, width, i)) {
            for (size_t k = i; k < i + RUN; k++)
                codes[k] = codes[i - 1];
            continue;
        }
        for (size_t k = i; k < i + RUN; k++) {
            const uint64_t place = place_of(mask, width, k);
            const uint16_t code = (uint16_t)(table[place < size ? place : 0] - 1);
            is_new |= (place >= size) | (code >= numbers->known);
            codes[k] = code;
        }
        if (is_new) {
            int state = number_new(mask, i, i + RUN, numbers, codes);
            if (state != DONE)
                return state;
        }
    }
    return number_new(mask, i, mask->n, numbers, codes);
}

static int number_labels(const Mask *mask, Numbers *numbers, uint16_t *codes)
{
    switch (mask->width) {
    case 1: return number_all(mask, 1, numbers, codes);
    case 2: return number_all(mask, 2, numbers, codes);
    case 4: return number_all(mask, 4, numbers, codes);
    default: return number_all(mask, 8, numbers, codes);
    }
}

PyDoc_STRVAR(number_doc,
"number(labels, low, table, found, known, codes, /)\n--\n\n"
"Number the labels of a mask in the order in which they are met.\n\n"
"`table` (uint16, zeros at first) has a place for each label from `low` on, `found` (int64) one for each\n"
"number, of which `known` are taken; both go on from call to call. The numbers go to `codes` (uint16).\n"
"Returns how many labels are known now, or len(found) + 1 where there are more than that.\n"
"IndexError: a label lies beyond the table.");

static PyObject *number(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    PyObject *objects[4], *result = NULL;
    Py_buffer views[4]; /* labels, table, found, codes */
    static const char *const formats[4] = {ANY, "H", INT64, "H"};
    long long low;
    Py_ssize_t known;
    int taken = 0, state;
    if (!PyArg_ParseTuple(arguments, "OLOOnO", &objects[0], &low, &objects[1], &objects[2], &known, &objects[3]))
        return NULL;
    for (; taken < 4; taken++)
        if (take(objects[taken], &views[taken], formats[taken], taken > 0))
            goto release;
    if (items(&views[3]) != items(&views[0]))
        PyErr_SetString(PyExc_ValueError, "the labels and their numbers differ in length");
    else if (!items(&views[1]) || !is_within(&views[0], low, (uint64_t)items(&views[1])))
        PyErr_SetString(PyExc_ValueError, "the table begins or ends where no such label can be");
    else if (known < 0 || known > items(&views[2]) || items(&views[2]) > FAR)
        PyErr_SetString(PyExc_ValueError, "more labels than numbers");
    else {
        const Mask mask = mask_of(&views[0], low);
        Numbers numbers = {views[1].buf, (uint64_t)items(&views[1]), views[2].buf, (size_t)known,
                           (size_t)items(&views[2])};
        Py_BEGIN_ALLOW_THREADS
        state = number_labels(&mask, &numbers, views[3].buf);
        Py_END_ALLOW_THREADS
        if (state == BEYOND)
            PyErr_SetString(PyExc_IndexError, "a label lies beyond the table");
        else
            result = PyLong_FromSize_t(numbers.known + (state != DONE));
    }
release:
    while (taken)
        PyBuffer_Release(&views[--taken]);
    return result;
}

/* --- The module ------------------------------------------------------------------------------------------- */

static PyMethodDef methods[] = {
    {"count_near", count_near, METH_VARARGS, count_near_doc},
    {"count_far", count_far, METH_VARARGS, count_far_doc},
    {"number", number, METH_VARARGS, number_doc},
    {NULL, NULL, 0, NULL},
};

DEFINE_MODULE(_native, "The joint histogram of two masks, in C.")
