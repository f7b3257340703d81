/* The rows of a PNG, from what its stream inflates to: each row's filter undone (PNG specification, 9.2).

   A row is a byte that names its filter, and its bytes as differences: from the byte of the pixel to the left
   (sub), from the one above (up), from the mean of both (average), or from whichever of left, above and above
   left is nearest to left + above - above left (Paeth). Outside the image all bytes are 0.

   Masks are mostly constant. Where eight differences are 0 and all neighbours alike, so are the eight bytes,
   whichever filter it is. */

#include "_extension.h"

#include <stdlib.h>

enum { NONE, SUB, UP, AVERAGE, PAETH };
enum { WIDEST = 8 }; /* bytes of a pixel: four samples of 16 bits */

INLINE uint8_t nearest(int left, int above, int corner)
{
    const int to_left = abs(above - corner), to_above = abs(left - corner);
    const int to_corner = abs(left + above - 2 * corner);
    const int other = to_above <= to_corner ? above : corner;
    return (uint8_t)((to_left <= to_above) & (to_left <= to_corner) ? left : other);
}

INLINE uint8_t predicted(int filter, int left, int above, int corner)
{
    switch (filter) {
    case SUB: return (uint8_t)left;
    case AVERAGE: return (uint8_t)((left + above) / 2);
    default: return nearest(left, above, corner);
    }
}

/* Tell whether eight bytes are all one value. */
INLINE int are_all(const uint8_t *bytes, uint8_t value)
{
    return load_word(bytes) == repeat_byte(value);
}

/* Undo a filter that looks to the left, in a row whose pixels are `step` bytes wide. */
INLINE void undo_leftwards(int filter, const uint8_t *source, const uint8_t *above, uint8_t *row, size_t n,
                           size_t step)
{
    size_t i = 0;
    for (; i < step && i < n; i++)
        row[i] = (uint8_t)(source[i] + predicted(filter, 0, above[i], 0));
    while (i < n) {
        if (step == 1) {
            const uint8_t left = row[i - 1];
            const int is_flat = filter == SUB || above[i - 1] == left;
            while (is_flat && n - i >= 8 && are_all(source + i, 0) && (filter == SUB || are_all(above + i, left))) {
                memset(row + i, left, 8);
                i += 8;
            }
        }
        for (const size_t end = n - i < 16 ? n : i + 16; i < end; i++)
            row[i] = (uint8_t)(source[i] + predicted(filter, row[i - step], above[i], above[i - step]));
    }
}

/* The same; each filter and the usual width of a pixel apart, so that no pixel has to ask for them. */
#define UNDO(FILTER)                                                                                          \
    if (step == 1)                                                                                            \
        undo_leftwards(FILTER, source, above, row, n, 1);                                                     \
    else                                                                                                      \
        undo_leftwards(FILTER, source, above, row, n, step)

static void undo_row(int filter, const uint8_t *source, const uint8_t *above, uint8_t *row, size_t n, size_t step)
{
    if (filter == SUB) {
        UNDO(SUB);
    } else if (filter == AVERAGE) {
        UNDO(AVERAGE);
    } else {
        UNDO(PAETH);
    }
}

/* Undo all rows; returns the number of the first one with a filter that there is not, or `rows`. */
static size_t undo(const uint8_t *source, uint8_t *target, const uint8_t *above, size_t rows, size_t width,
                   size_t step)
{
    for (size_t number = 0; number < rows; number++, source += 1 + width, above = target, target += width) {
        switch (source[0]) {
        case NONE: memcpy(target, source + 1, width); break;
        case UP:
            for (size_t i = 0; i < width; i++)
                target[i] = (uint8_t)(source[1 + i] + above[i]);
            break;
        case SUB:
        case AVERAGE:
        case PAETH: undo_row(source[0], source + 1, above, target, width, step); break;
        default: return number;
        }
    }
    return rows;
}

PyDoc_STRVAR(unfilter_doc,
"unfilter(source, above, step, into, first, /)\n--\n\n"
"Write rows of an image to `into`: `source` are rows of a byte that names the filter and as many bytes as\n"
"`above` has, which is the row before them, zeros where there is none. `step` is the number of bytes of a\n"
"pixel, at least 1; `first` the number of the first row in the image.\n\n"
"ValueError: lengths that do not fit, or a filter that PNG does not have.");

static PyObject *unfilter(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    Py_buffer source, above, target;
    Py_ssize_t step, first;
    int is_done = 0;
    if (!PyArg_ParseTuple(arguments, "y*y*nw*n", &source, &above, &step, &target, &first))
        return NULL;
    const Py_ssize_t width = above.len, rows = width < 1 ? 0 : source.len / (width + 1);
    if (width < 1 || step < 1 || step > WIDEST || source.len % (width + 1) || target.len != rows * width) {
        PyErr_SetString(PyExc_ValueError, "not rows of this width");
    } else {
        size_t done;
        Py_BEGIN_ALLOW_THREADS
        done = undo(source.buf, target.buf, above.buf, (size_t)rows, (size_t)width, (size_t)step);
        Py_END_ALLOW_THREADS
        is_done = done == (size_t)rows;
        if (!is_done)
            PyErr_Format(PyExc_ValueError, "row %zd has filter %d, which PNG does not have",
                         first + (Py_ssize_t)done, (int)((const uint8_t *)source.buf)[done * ((size_t)width + 1)]);
    }
    PyBuffer_Release(&source);
    PyBuffer_Release(&above);
    PyBuffer_Release(&target);
    if (!is_done)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"unfilter", unfilter, METH_VARARGS, unfilter_doc},
    {NULL, NULL, 0, NULL},
};

DEFINE_MODULE(_rows, "The rows of a PNG, their filters undone, in C.")
