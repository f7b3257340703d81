/* Where labels end, and how far points are from the nearest of others. The twins in NumPy are plain_rims.py and
   plain_nearest.py; rims.py and nearest.py call this.

   Four functions, each one loop without the interpreter's lock:
   rim_points     voxels with a neighbour that has another code
   corner_points  corners of voxels around which some have a code and some have not
   build          points in the order of a Hilbert curve, with a box around every 8 of them, every 64, ...
   nearest        the distance of each of many points from the nearest of others

   Codes may be written to by another thread in the meantime: what comes out is of no use then, but no place
   outside a buffer is read or written. The same holds for whatever numbers a tree is made of. */

#include "_extension.h"

#include <math.h>
#include <stdlib.h>

#if defined(_MSC_VER)
#pragma fp_contract(off)
#endif

/* --- Buffers ---------------------------------------------------------------------------------------------- */

#define INT32 "il"
#define UINT32 "IL"
#define CODES "BHIL"
#define FLOAT64 "d"

/* Take an aligned, contiguous buffer of one of the given formats, which are those of the struct module, and of
   items of some bytes; with width 0, of up to 4. */
static int take(PyObject *object, Py_buffer *view, const char *formats, Py_ssize_t width, int writable)
{
    if (PyObject_GetBuffer(object, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0)))
        return -1;
    const char *format = view->format ? view->format : "B";
    const int fits = width ? view->itemsize == width : view->itemsize <= 4;
    if (strlen(format) != 1 || !strchr(formats, *format) || !fits)
        PyErr_Format(PyExc_TypeError, "a buffer of format '%s' where one of '%s' is wanted", format, formats);
    else if ((uintptr_t)view->buf % (uintptr_t)view->itemsize)
        PyErr_SetString(PyExc_ValueError, "a buffer at an address that is no multiple of its items' size");
    else
        return 0;
    PyBuffer_Release(view);
    return -1;
}

static size_t items(const Py_buffer *view)
{
    return (size_t)(view->len / view->itemsize);
}

/* --- Points that are found -------------------------------------------------------------------------------- */

/* Memory that grows; each item is of so many bytes. */
typedef struct {
    char *bytes;
    size_t width;
} Column;

enum { MOST_COLUMNS = 4 };

typedef struct {
    Column columns[MOST_COLUMNS];
    int width; /* of how many columns */
    size_t n, capacity;
} Found;

/* Make room for so many more items. Returns -1 where there is no memory. */
static int make_room(Found *found, size_t more)
{
    if (found->capacity - found->n >= more)
        return 0;
    if (more > SIZE_MAX / 64 || found->n > SIZE_MAX / 64)
        return -1;
    const size_t capacity = 2 * found->n > found->n + more ? 2 * found->n : found->n + more;
    for (int i = 0; i < found->width; i++) {
        char *bytes = realloc(found->columns[i].bytes, capacity * found->columns[i].width);
        if (!bytes)
            return -1;
        found->columns[i].bytes = bytes;
    }
    found->capacity = capacity;
    return 0;
}

/* Return the columns as bytearrays, and give their memory back. */
static PyObject *columns_of(Found *found)
{
    PyObject *result = PyTuple_New(found->width);
    for (int i = 0; result && i < found->width; i++) {
        Column *column = &found->columns[i];
        PyObject *bytes = PyByteArray_FromStringAndSize(column->bytes, (Py_ssize_t)(found->n * column->width));
        free(column->bytes);
        column->bytes = NULL;
        if (!bytes || PyTuple_SetItem(result, i, bytes))
            Py_CLEAR(result);
    }
    return result;
}

static void forget(Found *found)
{
    for (int i = 0; i < found->width; i++)
        free(found->columns[i].bytes);
}

/* --- Codes ------------------------------------------------------------------------------------------------ */

/* Planes of lines of codes; with two axes each plane is one line. */
typedef struct {
    const char *codes;
    const char *nothing; /* a line of 0 */
    size_t planes, lines, length;
    size_t begin, end; /* of the core */
    int axes, width;   /* bytes of a code */
    uint32_t blank;    /* a code that is no row, as 0 is */
    uint64_t blanks;   /* eight bytes of it */
    int64_t start;
} Grid;

INLINE const char *line_of(const Grid *grid, size_t plane, size_t line)
{
    return grid->codes + (plane * grid->lines + line) * grid->length * (size_t)grid->width;
}

/* Return the line some steps away, or NULL beyond the array. */
INLINE const char *line_near(const Grid *grid, size_t plane, size_t line, int planes, int lines)
{
    const size_t other = plane + (size_t)planes, beside = line + (size_t)lines;
    return other < grid->planes && beside < grid->lines ? line_of(grid, other, beside) : NULL;
}

INLINE uint32_t code_at(const char *line, size_t i, int width)
{
    uint16_t pair;
    uint32_t four;
    switch (width) {
    case 1: return ((const uint8_t *)line)[i];
    case 2: memcpy(&pair, line + 2 * i, 2); return pair;
    default: memcpy(&four, line + 4 * i, 4); return four;
    }
}

/* For codes of one width: flag each place where the other line has another code and not the ignored one. */
#define DEFINE_MARK(TYPE)                                                                                     \
    WIDE static void mark_##TYPE(const TYPE *__restrict line, const TYPE *__restrict other, size_t n,         \
                                 uint8_t *__restrict flags)                                                   \
    {                                                                                                         \
        for (size_t i = 0; i < n; i++)                                                                        \
            flags[i] |= (uint8_t)((other[i] != line[i]) & (other[i] != (TYPE)-1));                            \
    }                                                                                                         \
    WIDE static void keep_##TYPE(const TYPE *__restrict line, size_t n, TYPE blank, uint8_t *__restrict flags) \
    {                                                                                                         \
        for (size_t i = 0; i < n; i++)                                                                        \
            flags[i] &= (uint8_t)((line[i] != 0) & (line[i] != blank) & (line[i] != (TYPE)-1));               \
    }

DEFINE_MARK(uint8_t)
DEFINE_MARK(uint16_t)
DEFINE_MARK(uint32_t)

static void mark(const char *line, const char *other, size_t n, int width, uint8_t *flags)
{
    switch (width) {
    case 1: mark_uint8_t((const uint8_t *)line, (const uint8_t *)other, n, flags); break;
    case 2: mark_uint16_t((const uint16_t *)line, (const uint16_t *)other, n, flags); break;
    default: mark_uint32_t((const uint32_t *)line, (const uint32_t *)other, n, flags);
    }
}

/* Leave the flags of rows alone. */
static void keep(const char *line, size_t n, const Grid *grid, uint8_t *flags)
{
    switch (grid->width) {
    case 1: keep_uint8_t((const uint8_t *)line, n, (uint8_t)grid->blank, flags); break;
    case 2: keep_uint16_t((const uint16_t *)line, n, (uint16_t)grid->blank, flags); break;
    default: keep_uint32_t((const uint32_t *)line, n, grid->blank, flags);
    }
}

/* Narrow the places from `from` to `to` down to those beyond which a line is blank on both sides. */
static void trim(const Grid *grid, const char *line, size_t *from, size_t *to)
{
    const size_t width = (size_t)grid->width, bytes = grid->length * width;
    const uint64_t blanks = grid->blanks;
    char each[8];
    memcpy(each, &blanks, 8);
    size_t low = 0, high = bytes;
    while (high - low >= 64) {
        uint64_t some = 0;
        for (int k = 0; k < 64; k += 8)
            some |= load_word(line + low + k) ^ blanks;
        if (some)
            break;
        low += 64;
    }
    while (low < high && line[low] == each[low % 8])
        low++;
    while (high - low >= 8 && load_word(line + high - 8) == blanks) /* as long as whole codes go */
        high -= 8;
    while (low < high && line[high - 1] == each[(high - 1) % 8])
        high--;
    *from = low / width;
    *to = (high + width - 1) / width;
    if (low == high)
        *from = *to = 0;
}

/* --- Rims ------------------------------------------------------------------------------------------------- */

/* Flag the rim voxels of a line between two places. */
static void flag_rim(const Grid *grid, size_t plane, size_t row, size_t from, size_t to, int reach,
                     uint8_t *flags)
{
    const char *line = line_of(grid, plane, row);
    const size_t width = (size_t)grid->width;
    const int rows = grid->axes == 3;
    memset(flags + from, 0, to - from);
    for (int i = -1; i <= 1; i++)
        for (int j = -rows; j <= rows; j++) {
            const int away = abs(i) + abs(j);
            const char *other = line_near(grid, plane, row, i, j);
            if (away > reach)
                continue;
            if (!other) {
                memset(flags + from, 1, to - from);
                goto found;
            }
            if (away)
                mark(line + from * width, other + from * width, to - from, grid->width, flags + from);
            if (away == reach)
                continue;
            const size_t after = from ? from : 1, before = to < grid->length ? to : grid->length - 1;
            flags[from] |= !from;
            flags[to - 1] |= to == grid->length;
            if (after < to)
                mark(line + after * width, other + (after - 1) * width, to - after, grid->width, flags + after);
            if (before > from)
                mark(line + from * width, other + (from + 1) * width, before - from, grid->width, flags + from);
        }
found:
    keep(line + from * width, to - from, grid, flags + from);
}

static void add_rim(Found *found, int64_t index, const char *line, size_t i, int width)
{
    memcpy(found->columns[0].bytes + found->n * 8, &index, 8);
    memcpy(found->columns[1].bytes + found->n * (size_t)width, line + i * (size_t)width, (size_t)width);
    found->n++;
}

static int find_rims(const Grid *grid, int reach, uint8_t *flags, Found *found)
{
    for (size_t plane = grid->begin; plane < grid->end; plane++)
        for (size_t row = 0; row < grid->lines; row++) {
            const char *line = line_of(grid, plane, row);
            size_t from, to;
            trim(grid, line, &from, &to);
            if (from == to)
                continue;
            flag_rim(grid, plane, row, from, to, reach, flags);
            if (make_room(found, to - from))
                return -1;
            const int64_t first = (grid->start + (int64_t)plane) * (int64_t)(grid->lines * grid->length) +
                                  (int64_t)(row * grid->length);
            size_t i = from;
            for (; to - i >= 8; i += 8)
                if (load_word(flags + i))
                    for (size_t k = i; k < i + 8; k++)
                        if (flags[k])
                            add_rim(found, first + (int64_t)k, line, k, grid->width);
            for (; i < to; i++)
                if (flags[i])
                    add_rim(found, first + (int64_t)i, line, i, grid->width);
        }
    return 0;
}

/* --- Corners ---------------------------------------------------------------------------------------------- */

/* The lines around a line of corners, 2 or 4 of them. */
typedef struct {
    const char *lines[4];
    int n;
    size_t from, to; /* places beyond which all of them are blank */
} Around;

static Around lines_around(const Grid *grid, size_t plane, size_t row)
{
    Around around = {.n = grid->axes == 3 ? 4 : 2, .from = grid->length};
    for (int l = 0; l < around.n; l++) {
        const int i = grid->axes == 3 ? l / 2 : l, j = grid->axes == 3 ? l % 2 : 1;
        const char *line = line_near(grid, plane, row, i - 1, j - 1);
        size_t from = 0, to = 0;
        if (line)
            trim(grid, line, &from, &to);
        around.lines[l] = line ? line : grid->nothing;
        if (from == to)
            continue;
        around.from = from < around.from ? from : around.from;
        around.to = to > around.to ? to : around.to;
    }
    return around;
}

/* Add what is found at one corner: codes in ascending order, each with its bits. */
static void add_corners(const Grid *grid, const Around *around, size_t corner, int64_t index, Found *found)
{
    uint32_t codes[8], last = 0;
    const int n = 2 * around->n;
    const uint32_t ignored = UINT32_MAX >> (32 - 8 * grid->width);
    const unsigned all = (1u << n) - 1;
    unsigned is_ignored = 0;
    for (int v = 0; v < n; v++) {
        const size_t place = corner + (size_t)(v % 2) - 1; /* beyond the line where corner is 0, too */
        codes[v] = place < grid->length ? code_at(around->lines[v / 2], place, grid->width) : 0;
        codes[v] = codes[v] == grid->blank ? 0 : codes[v];
        is_ignored |= (unsigned)(codes[v] == ignored) << (n - 1 - v);
    }
    for (;;) {
        uint32_t next = ignored;
        unsigned is_set = 0;
        for (int v = 0; v < n; v++)
            next = codes[v] > last && codes[v] < next ? codes[v] : next;
        if (next == ignored)
            return;
        for (int v = 0; v < n; v++)
            is_set |= (unsigned)(codes[v] == next) << (n - 1 - v);
        last = next;
        if ((is_set | is_ignored) == all)
            continue;
        memcpy(found->columns[0].bytes + found->n * 8, &index, 8);
        if (grid->width == 1)
            found->columns[1].bytes[found->n] = (char)next;
        else if (grid->width == 2)
            memcpy(found->columns[1].bytes + found->n * 2, &(uint16_t){(uint16_t)next}, 2);
        else
            memcpy(found->columns[1].bytes + found->n * 4, &next, 4);
        found->columns[2].bytes[found->n] = (char)is_set;
        found->columns[3].bytes[found->n] = (char)is_ignored;
        found->n++;
    }
}

static int find_corners(const Grid *grid, uint8_t *flags, Found *found)
{
    const size_t lines = grid->axes == 3 ? grid->lines + 1 : 1, width = (size_t)grid->width;
    const size_t end = grid->end + (grid->begin < grid->end && grid->end == grid->planes); /* the array's end */
    for (size_t plane = grid->begin; plane < end; plane++)
        for (size_t row = 0; row < lines; row++) {
            const Around around = lines_around(grid, plane, row);
            const size_t from = around.from, to = around.to;
            if (from >= to)
                continue;
            if (to - from >= SIZE_MAX / 16 || make_room(found, 8 * (to - from + 1)))
                return -1;
            memset(flags + from, 0, to - from + 1);
            flags[from] = flags[to] = 1;
            for (int l = 0; l < around.n; l++) {
                const char *first = around.lines[0] + from * width, *other = around.lines[l] + from * width;
                mark(first, other, to - from - 1, grid->width, flags + from + 1);
                mark(first, other + width, to - from - 1, grid->width, flags + from + 1);
            }
            const int64_t start = ((grid->start + (int64_t)plane) * (int64_t)lines + (int64_t)row) *
                                  (int64_t)(grid->length + 1);
            for (size_t i = from; i <= to; i++)
                if (flags[i])
                    add_corners(grid, &around, i, start + (int64_t)i, found);
        }
    return 0;
}

/* --- Both ------------------------------------------------------------------------------------------------- */

/* Fill in a grid of a buffer of codes; sets an error where it is none. */
static int describe(Grid *grid, const Py_buffer *view, Py_ssize_t begin, Py_ssize_t end, int first, int last,
                    long long start)
{
    if (view->ndim != 2 && view->ndim != 3) {
        PyErr_SetString(PyExc_ValueError, "codes have two or three axes");
        return -1;
    }
    grid->codes = view->buf;
    grid->axes = view->ndim;
    grid->width = (int)view->itemsize;
    grid->planes = (size_t)view->shape[0];
    grid->lines = view->ndim == 3 ? (size_t)view->shape[1] : 1;
    grid->length = (size_t)view->shape[view->ndim - 1];
    if (begin < 0 || end < begin || end > view->shape[0]) {
        PyErr_SetString(PyExc_ValueError, "a core beyond the planes");
        return -1;
    }
    if (begin < end && ((!begin && !first) || (end == view->shape[0] && !last))) {
        PyErr_SetString(PyExc_ValueError, "planes without the context that they need");
        return -1;
    }
    if (!view->len) { /* however long its axes are */
        grid->length = 0;
        return 0;
    }
    if (start < 0 || start > INT64_MAX / (int64_t)((grid->lines + 1) * (grid->length + 1)) - view->shape[0] - 1) {
        PyErr_SetString(PyExc_ValueError, "planes whose voxels cannot be numbered");
        return -1;
    }
    grid->begin = (size_t)begin;
    grid->end = (size_t)end;
    grid->start = start;
    return 0;
}

static PyObject *find(PyObject *arguments, int is_rim)
{
    PyObject *object, *result = NULL;
    Py_buffer view;
    Py_ssize_t begin, end;
    long long start;
    int first, last, reach = 0, state = -1;
    unsigned blank;
    Grid grid = {.codes = NULL};
    if (!PyArg_ParseTuple(arguments, is_rim ? "OnnppLIi" : "OnnppLI", &object, &begin, &end, &first, &last, &start,
                          &blank, &reach))
        return NULL;
    if (take(object, &view, CODES, 0, 0))
        return NULL;
    Found found = {.columns = {{NULL, 8}, {NULL, (size_t)view.itemsize}, {NULL, 1}, {NULL, 1}},
                   .width = is_rim ? 2 : 4};
    if (describe(&grid, &view, begin, end, first, last, start))
        goto release;
    grid.blank = blank & (UINT32_MAX >> (32 - 8 * grid.width));
    grid.blanks = grid.blank * (grid.width == 1   ? UINT64_C(0x0101010101010101)
                                : grid.width == 2 ? UINT64_C(0x0001000100010001)
                                                  : UINT64_C(0x0000000100000001));
    char *nothing = calloc(grid.length + 1, (size_t)grid.width);
    uint8_t *flags = calloc(grid.length + 1, 1);
    grid.nothing = nothing;
    if (nothing && flags) {
        Py_BEGIN_ALLOW_THREADS
        state = is_rim ? find_rims(&grid, reach, flags, &found) : find_corners(&grid, flags, &found);
        Py_END_ALLOW_THREADS
    }
    free(nothing);
    free(flags);
    result = state ? PyErr_NoMemory() : columns_of(&found);
release:
    forget(&found);
    PyBuffer_Release(&view);
    return result;
}

PyDoc_STRVAR(rim_points_doc,
"rim_points(codes, begin, end, first, last, start, blank, reach, /)\n--\n\n"
"Find the rim voxels of planes from `begin` to `end` of codes (uint8, uint16 or uint32, two or three axes).\n"
"A neighbour differs along at most `reach` axes; `blank` is a code that is no row, as 0 is. Returns two bytearrays: places in the array as int64, and\n"
"codes. ValueError: no such planes, or no context.");

static PyObject *rim_points(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    return find(arguments, 1);
}

PyDoc_STRVAR(corner_points_doc,
"corner_points(codes, begin, end, first, last, start, blank, /)\n--\n\n"
"Find the corners of planes from `begin` to `end` at which codes begin or end. Returns four bytearrays: places\n"
"in the lattice of corners as int64; codes; and in a byte each which of the voxels around have it, and which\n"
"are ignored. ValueError: no such planes, or no context.");

static PyObject *corner_points(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    return find(arguments, 0);
}

/* --- Trees ------------------------------------------------------------------------------------------------ */

enum {
    LEAF = 8,     /* points of a leaf, and boxes of a group; all of one axis lie side by side */
    LEVELS = 12,  /* 8^12 leaves are more than there can be */
    DIGIT = 11,   /* bits that are sorted by at a time */
    BLOCK = 256,  /* points whose keys are reckoned at a time */
};

/* Points in leaves, the boxes of 8 leaves in a group, the boxes of 8 groups in a group of the next level, and
   so on until there is one group. Numbers of a leaf: those of the first axis, of the second, ...; of a group:
   8 lows of the first axis, ..., 8 highs of the first axis, ... */
typedef struct {
    int32_t *cells, *boxes;
    size_t n, leaves;
    size_t first[LEVELS], children[LEVELS]; /* of a level: its first group; how many boxes its groups have */
    int levels, axes;
} Tree;

static int32_t *leaf_of(const Tree *tree, size_t leaf)
{
    return tree->cells + leaf * (size_t)tree->axes * LEAF;
}

static int32_t *group_of(const Tree *tree, int level, size_t group)
{
    return tree->boxes + (tree->first[level] + group) * 2 * (size_t)tree->axes * LEAF;
}

/* Fill in a tree of two buffers; sets an error where they are of another size than its points ask for. */
static int plan(Tree *tree, const Py_buffer *cells, const Py_buffer *boxes, Py_ssize_t n, int axes)
{
    size_t groups = 0;
    if (n < 1 || (uint64_t)n > UINT32_MAX || (axes != 2 && axes != 3)) {
        PyErr_SetString(PyExc_ValueError, "a tree has 1 to 4,294,967,295 points of two or three axes");
        return -1;
    }
    tree->cells = cells->buf;
    tree->boxes = boxes->buf;
    tree->axes = axes;
    tree->n = (size_t)n;
    tree->leaves = (tree->n - 1) / LEAF + 1;
    for (size_t children = tree->leaves; tree->levels < LEVELS; children = (children - 1) / LEAF + 1) {
        tree->children[tree->levels] = children;
        tree->first[tree->levels++] = groups;
        groups += (children - 1) / LEAF + 1;
        if (children <= LEAF)
            break;
    }
    if (items(cells) != tree->leaves * (size_t)axes * LEAF || items(boxes) != groups * 2 * (size_t)axes * LEAF) {
        PyErr_SetString(PyExc_ValueError, "cells or boxes of another size than these points have");
        return -1;
    }
    return 0;
}

/* Spread the bits of a number, so that `axes` - 1 others fit between each two. */
INLINE uint64_t spread(uint64_t bits, int axes)
{
    if (axes == 3) {
        bits = (bits | bits << 32) & UINT64_C(0x001F00000000FFFF);
        bits = (bits | bits << 16) & UINT64_C(0x001F0000FF0000FF);
        bits = (bits | bits << 8) & UINT64_C(0x100F00F00F00F00F);
        bits = (bits | bits << 4) & UINT64_C(0x10C30C30C30C30C3);
        return (bits | bits << 2) & UINT64_C(0x1249249249249249);
    }
    bits = (bits | bits << 16) & UINT64_C(0x0000FFFF0000FFFF);
    bits = (bits | bits << 8) & UINT64_C(0x00FF00FF00FF00FF);
    bits = (bits | bits << 4) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    bits = (bits | bits << 2) & UINT64_C(0x3333333333333333);
    return (bits | bits << 1) & UINT64_C(0x5555555555555555);
}

/* Turn coordinates of some bits into places on a Hilbert curve (Skilling 2004, doi:10.1063/1.1751381). */
WIDE static void places_on_curve(uint32_t coordinates[3][BLOCK], int axes, int bits, uint64_t *keys)
{
    for (int bit = bits - 1; bit > 0; bit--) {
        const uint32_t below = (1u << bit) - 1;
        for (int axis = 0; axis < axes; axis++)
            for (int i = 0; i < BLOCK; i++) {
                const uint32_t first = coordinates[0][i], other = coordinates[axis][i];
                const uint32_t is_set = 0u - (other >> bit & 1u), swapped = (first ^ other) & below & ~is_set;
                coordinates[axis][i] = other ^ swapped;
                coordinates[0][i] = axis ? first ^ (swapped | (below & is_set)) : first ^ (below & is_set);
            }
    }
    for (int axis = 1; axis < axes; axis++)
        for (int i = 0; i < BLOCK; i++)
            coordinates[axis][i] ^= coordinates[axis - 1][i];
    for (int i = 0; i < BLOCK; i++) {
        uint32_t turned = coordinates[axes - 1][i] >> 1;
        for (int shift = 1; shift < 32; shift *= 2)
            turned ^= turned >> shift;
        uint64_t key = 0;
        for (int axis = 0; axis < axes; axis++)
            key |= spread(coordinates[axis][i] ^ turned, axes) << (axes - 1 - axis);
        keys[i] = key;
    }
}

/* Reckon the places of all points on a curve; returns how many bits they have. */
static int reckon_keys(const int32_t *points, size_t n, int axes, const int *raised, uint64_t *keys)
{
    int32_t lows[3] = {INT32_MAX, INT32_MAX, INT32_MAX}, highs[3] = {INT32_MIN, INT32_MIN, INT32_MIN};
    uint32_t coordinates[3][BLOCK] = {{0}};
    uint64_t some = 0, block[BLOCK];
    int bits = 1, excess;
    for (size_t i = 0; i < n; i++)
        for (int axis = 0; axis < axes; axis++) {
            const int32_t each = points[i * (size_t)axes + (size_t)axis];
            lows[axis] = each < lows[axis] ? each : lows[axis];
            highs[axis] = each > highs[axis] ? each : highs[axis];
        }
    for (int axis = 0; axis < axes; axis++)
        some |= (uint64_t)((int64_t)highs[axis] - lows[axis]) << raised[axis];
    while (bits < 63 && some >> bits)
        bits++;
    excess = bits > 63 / axes ? bits - 63 / axes : 0;
    bits -= excess;
    for (size_t start = 0; start < n; start += BLOCK) {
        const size_t size = n - start < BLOCK ? n - start : BLOCK;
        for (size_t i = 0; i < size; i++)
            for (int axis = 0; axis < axes; axis++) {
                const int64_t each = points[(start + i) * (size_t)axes + (size_t)axis];
                coordinates[axis][i] = (uint32_t)((uint64_t)(each - lows[axis]) << raised[axis] >> excess);
            }
        places_on_curve(coordinates, axes, bits, block);
        memcpy(keys + start, block, size * sizeof *block);
    }
    return bits * axes;
}

/* Sort numbers by their keys, digit by digit; where they end up is told by the place of the result. */
static uint32_t *sort(uint64_t *keys, uint64_t *other_keys, uint32_t *order, uint32_t *other, size_t n, int bits)
{
    for (int shift = 0; shift < bits; shift += DIGIT) {
        size_t counts[(1 << DIGIT) + 1] = {0};
        for (size_t i = 0; i < n; i++)
            counts[(keys[i] >> shift & ((1 << DIGIT) - 1)) + 1]++;
        for (int digit = 0; digit < 1 << DIGIT; digit++)
            counts[digit + 1] += counts[digit];
        for (size_t i = 0; i < n; i++) {
            const size_t place = counts[keys[i] >> shift & ((1 << DIGIT) - 1)]++;
            other_keys[place] = keys[i];
            other[place] = order[i];
        }
        uint64_t *swapped_keys = keys;
        uint32_t *swapped = order;
        keys = other_keys, other_keys = swapped_keys;
        order = other, other = swapped;
    }
    return order;
}

static void fill_leaves(Tree *tree, const int32_t *points, const uint32_t *order)
{
    const size_t axes = (size_t)tree->axes;
    for (size_t i = 0; i < tree->leaves * LEAF; i++) {
        const int32_t *point = points + order[i < tree->n ? i : tree->n - 1] * axes;
        for (size_t axis = 0; axis < axes; axis++)
            leaf_of(tree, i / LEAF)[axis * LEAF + i % LEAF] = point[axis];
    }
}

/* Put boxes around leaves, and around groups of boxes; a group's places beyond the last one are 0. */
static void fill_boxes(Tree *tree)
{
    const size_t axes = (size_t)tree->axes;
    memset(tree->boxes, 0, (tree->first[tree->levels - 1] + 1) * 2 * axes * LEAF * sizeof *tree->boxes);
    for (int level = 0; level < tree->levels; level++)
        for (size_t child = 0; child < tree->children[level]; child++) {
            int32_t *group = group_of(tree, level, child / LEAF) + child % LEAF;
            const int32_t *lows = level ? group_of(tree, level - 1, child) : leaf_of(tree, child);
            const int32_t *highs = level ? lows + axes * LEAF : lows;
            const size_t left = level ? tree->children[level - 1] - child * LEAF : LEAF;
            const size_t inside = left < LEAF ? left : LEAF;
            for (size_t axis = 0; axis < axes; axis++) {
                int32_t low = lows[axis * LEAF], high = highs[axis * LEAF];
                for (size_t i = 1; i < inside; i++) {
                    low = lows[axis * LEAF + i] < low ? lows[axis * LEAF + i] : low;
                    high = highs[axis * LEAF + i] > high ? highs[axis * LEAF + i] : high;
                }
                group[axis * LEAF] = low;
                group[(axes + axis) * LEAF] = high;
            }
        }
}

static int fill(Tree *tree, const int32_t *points, const int *raised, uint32_t *order)
{
    const size_t n = tree->n;
    uint64_t *keys = n <= SIZE_MAX / 16 ? malloc(n * 2 * sizeof *keys) : NULL;
    uint32_t *numbers = keys ? malloc(n * 2 * sizeof *numbers) : NULL;
    if (numbers) {
        const int bits = reckon_keys(points, n, tree->axes, raised, keys);
        for (size_t i = 0; i < n; i++)
            numbers[i] = (uint32_t)i;
        const uint32_t *sorted = sort(keys, keys + n, numbers, numbers + n, n, bits);
        memcpy(order, sorted, n * sizeof *order);
        fill_leaves(tree, points, sorted);
        fill_boxes(tree);
    }
    free(keys);
    free(numbers);
    return numbers ? 0 : -1;
}

PyDoc_STRVAR(build_doc,
"build(points, raised, order, cells, boxes, /)\n--\n\n"
"Make a tree of points (int32, n times two or three). `raised` has for each axis a number of bits, 0 to 30, by\n"
"which its steps count for more: it matters to speed alone. The other buffers are filled: each point's number\n"
"as it was given (uint32, n); coordinates (int32, leaves times axes times 8); and boxes (int32, groups times 2\n"
"times axes times 8). ValueError: another size.");

static PyObject *build(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    PyObject *objects[4], *result = NULL; /* points, order, cells, boxes */
    Py_buffer views[4];
    static const char *const formats[4] = {INT32, UINT32, INT32, INT32};
    int raised[3] = {0, 0, 0}, taken = 0, state;
    Tree tree = {.levels = 0};
    if (!PyArg_ParseTuple(arguments, "O(iii)OOO", &objects[0], &raised[0], &raised[1], &raised[2], &objects[1],
                          &objects[2], &objects[3]))
        return NULL;
    for (; taken < 4; taken++)
        if (take(objects[taken], &views[taken], formats[taken], 4, taken > 0))
            goto release;
    if (views[0].ndim != 2 || items(&views[1]) != (size_t)views[0].shape[0])
        PyErr_SetString(PyExc_ValueError, "points have two axes, and each one number");
    else if ((raised[0] | raised[1] | raised[2]) & ~31 || raised[0] == 31 || raised[1] == 31 || raised[2] == 31)
        PyErr_SetString(PyExc_ValueError, "an axis counts for up to 30 bits more");
    else if (!plan(&tree, &views[2], &views[3], views[0].shape[0], (int)views[0].shape[1])) {
        Py_BEGIN_ALLOW_THREADS
        state = fill(&tree, views[0].buf, raised, views[1].buf);
        Py_END_ALLOW_THREADS
        result = state ? PyErr_NoMemory() : Py_NewRef(Py_None);
    }
release:
    while (taken)
        PyBuffer_Release(&views[--taken]);
    return result;
}

/* --- The nearest of others -------------------------------------------------------------------------------- */

/* Eight numbers side by side. */
typedef struct {
    double of[LEAF];
} Eight;

/* Add squares, smallest first. */
INLINE double sum_of(double first, double second, double third, int axes)
{
    if (axes == 2)
        return first + second;
    const double less = first < second ? first : second, more = first > second ? first : second;
    const double middle = more < third ? more : third, most = more > third ? more : third;
    return (less + middle) + most;
}

/* Square the length of whichever gap there is, if any. */
INLINE double squared_gap(double before, double after, double spacing)
{
    const double gap = before > after ? before : after, apart = (gap > 0 ? gap : 0) * spacing;
    return apart * apart;
}

/* Eight queries that lie near each other: where, in which box, and the squared distance of the nearest point. */
typedef struct {
    Eight at[3], best;
    double low[3], high[3], worst;
    double spacing[3];
} Search;

/* Bring the nearest points of a leaf to each query; returns whether one of them was nearer. */
INLINE int look_into(Search *search, const int32_t *leaf, int axes)
{
    Eight best = search->best;
    double worst = 0;
    int is_nearer = 0;
    for (int j = 0; j < LEAF; j++) {
        double place[3] = {0};
        for (int axis = 0; axis < axes; axis++)
            place[axis] = leaf[axis * LEAF + j];
        for (int i = 0; i < LEAF; i++) {
            double squares[3] = {0};
            for (int axis = 0; axis < axes; axis++) {
                const double apart = (search->at[axis].of[i] - place[axis]) * search->spacing[axis];
                squares[axis] = apart * apart;
            }
            const double square = sum_of(squares[0], squares[1], squares[2], axes);
            best.of[i] = square < best.of[i] ? square : best.of[i];
        }
    }
    for (int i = 0; i < LEAF; i++) {
        is_nearer |= best.of[i] < search->best.of[i];
        worst = best.of[i] > worst ? best.of[i] : worst;
    }
    search->best = best;
    search->worst = worst;
    return is_nearer;
}

/* Return how near the queries' box is to each of eight boxes, squared. */
INLINE Eight bounds_of(const Search *search, const int32_t *group, int axes)
{
    Eight bounds;
    for (int i = 0; i < LEAF; i++) {
        double squares[3] = {0};
        for (int axis = 0; axis < axes; axis++) {
            const double before = group[axis * LEAF + i] - search->high[axis];
            const double after = search->low[axis] - group[(axes + axis) * LEAF + i];
            squares[axis] = squared_gap(before, after, search->spacing[axis]);
        }
        bounds.of[i] = sum_of(squares[0], squares[1], squares[2], axes);
    }
    return bounds;
}

/* Tell whether a leaf's box is nearer to some query than the best that it has. */
INLINE int is_in_reach(const Search *search, const Tree *tree, size_t leaf, int axes)
{
    const int32_t *box = group_of(tree, 0, leaf / LEAF) + leaf % LEAF;
    int some = 0;
    for (int i = 0; i < LEAF; i++) {
        double squares[3] = {0};
        for (int axis = 0; axis < axes; axis++) {
            const double before = box[axis * LEAF] - search->at[axis].of[i];
            const double after = search->at[axis].of[i] - box[(axes + axis) * LEAF];
            squares[axis] = squared_gap(before, after, search->spacing[axis]);
        }
        some |= sum_of(squares[0], squares[1], squares[2], axes) < search->best.of[i];
    }
    return some;
}

/* A box to look into: a leaf, at level -1, or a group. */
typedef struct {
    double bound;
    size_t place;
    int level;
} Task;

/* Put the boxes of a group that are near enough onto the stack, the nearest last; the others' order matters
   little, as much is ruled out by what is near. */
INLINE int push(const Search *search, const Tree *tree, Task task, Task *tasks, int depth, int axes)
{
    const Eight bounds = bounds_of(search, group_of(tree, task.level, task.place), axes);
    const size_t left = tree->children[task.level] - task.place * LEAF;
    const int n = left < LEAF ? (int)left : LEAF, start = depth;
    for (int i = 0; i < n; i++) {
        if (bounds.of[i] >= search->worst)
            continue;
        const Task found = {bounds.of[i], task.place * LEAF + (size_t)i, task.level - 1};
        const int is_nearer = depth > start && tasks[depth - 1].bound < found.bound;
        tasks[depth] = is_nearer ? tasks[depth - 1] : found;
        if (is_nearer)
            tasks[depth - 1] = found;
        depth++;
    }
    return depth;
}

/* Find the nearest points of eight queries. Returns the leaf that the last of them was found in. */
INLINE size_t search_tree(Search *search, const Tree *tree, size_t start, int axes)
{
    Task tasks[LEVELS * LEAF];
    size_t nearest = start;
    int depth = 1;
    look_into(search, leaf_of(tree, start), axes);
    tasks[0] = (Task){0, 0, tree->levels - 1};
    while (depth) {
        const Task task = tasks[--depth];
        if (task.bound >= search->worst)
            continue;
        if (task.level >= 0)
            depth = push(search, tree, task, tasks, depth, axes);
        else if (task.place != start && is_in_reach(search, tree, task.place, axes) &&
                 look_into(search, leaf_of(tree, task.place), axes))
            nearest = task.place;
    }
    return nearest;
}

/* Prepare the search of a leaf of queries. */
INLINE void begin_search(Search *search, const Tree *queries, size_t leaf, int axes)
{
    const int32_t *cells = leaf_of(queries, leaf);
    const int32_t *box = group_of(queries, 0, leaf / LEAF) + leaf % LEAF;
    for (int axis = 0; axis < axes; axis++) {
        search->low[axis] = box[axis * LEAF];
        search->high[axis] = box[(axes + axis) * LEAF];
        for (int i = 0; i < LEAF; i++)
            search->at[axis].of[i] = cells[axis * LEAF + i];
    }
    for (int i = 0; i < LEAF; i++)
        search->best.of[i] = INFINITY;
}

/* Find the nearest point of each query. Returns -1 where a query's number is none. */
INLINE int search_all(const Tree *tree, const Tree *queries, const uint32_t *order, const double *spacing,
                      double *distances, int axes)
{
    Search search = {.spacing = {spacing[0], spacing[1], spacing[2]}};
    size_t near = 0;
    for (size_t leaf = 0; leaf < queries->leaves; leaf++) {
        begin_search(&search, queries, leaf, axes);
        near = search_tree(&search, tree, near, axes);
        for (size_t i = leaf * LEAF; i < leaf * LEAF + LEAF && i < queries->n; i++) {
            const size_t number = order[i];
            if (number >= queries->n)
                return -1;
            distances[number] = sqrt(search.best.of[i % LEAF]);
        }
    }
    return 0;
}

WIDE static int search_planes(const Tree *tree, const Tree *queries, const uint32_t *order, const double *spacing,
                              double *distances)
{
    return search_all(tree, queries, order, spacing, distances, 2);
}

WIDE static int search_space(const Tree *tree, const Tree *queries, const uint32_t *order, const double *spacing,
                             double *distances)
{
    return search_all(tree, queries, order, spacing, distances, 3);
}

PyDoc_STRVAR(nearest_doc,
"nearest(n, cells, boxes, axes, spacing, order, query_cells, query_boxes, distances, /)\n--\n\n"
"Fill `distances` (float64) with those of the queries, as numbered by their `order`, from the nearest of n\n"
"points; both trees were made by `build`. `spacing` has three numbers. ValueError: another size.");

static PyObject *nearest(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    PyObject *objects[6], *result = NULL; /* cells, boxes, order, query_cells, query_boxes, distances */
    Py_buffer views[6];
    static const char *const formats[6] = {INT32, INT32, UINT32, INT32, INT32, FLOAT64};
    Py_ssize_t n;
    double spacing[3];
    int axes, taken = 0, state;
    Tree tree = {.levels = 0}, queries = {.levels = 0};
    if (!PyArg_ParseTuple(arguments, "nOOi(ddd)OOOO", &n, &objects[0], &objects[1], &axes, &spacing[0],
                          &spacing[1], &spacing[2], &objects[2], &objects[3], &objects[4], &objects[5]))
        return NULL;
    for (; taken < 6; taken++)
        if (take(objects[taken], &views[taken], formats[taken], taken == 5 ? 8 : 4, taken == 5))
            goto release;
    if (items(&views[5]) != items(&views[2]))
        PyErr_SetString(PyExc_ValueError, "queries and distances differ in number");
    else if (!plan(&tree, &views[0], &views[1], n, axes) &&
             !plan(&queries, &views[3], &views[4], (Py_ssize_t)items(&views[2]), axes)) {
        Py_BEGIN_ALLOW_THREADS
        state = axes == 2 ? search_planes(&tree, &queries, views[2].buf, spacing, views[5].buf)
                          : search_space(&tree, &queries, views[2].buf, spacing, views[5].buf);
        Py_END_ALLOW_THREADS
        if (state)
            PyErr_SetString(PyExc_ValueError, "an order of numbers that there are not");
        else
            result = Py_NewRef(Py_None);
    }
release:
    while (taken)
        PyBuffer_Release(&views[--taken]);
    return result;
}

static PyMethodDef methods[] = {
    {"rim_points", rim_points, METH_VARARGS, rim_points_doc},
    {"corner_points", corner_points, METH_VARARGS, corner_points_doc},
    {"build", build, METH_VARARGS, build_doc},
    {"nearest", nearest, METH_VARARGS, nearest_doc},
    {NULL, NULL, 0, NULL},
};

DEFINE_MODULE(_native, "Surfaces as points, and the nearest of others, in C.")
