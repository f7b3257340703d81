/* What every extension module begins and ends with: Python's stable interface, the loops' helpers, the module.

   The interface is that of Python 3.11, so that one build serves that version and all later ones. A module
   has functions, listed as `methods`, and nothing that it would have to keep. Python.h comes before all other
   headers, and so does this one. */

#ifndef DICECLI_EXTENSION_H
#define DICECLI_EXTENSION_H

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#if defined(_MSC_VER)
#define INLINE static __forceinline
#elif defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

/* Loops over whole blocks are compiled for wider registers as well, where the loader can choose. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && !defined(ONE_TARGET)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

/* Read eight bytes that may lie at any address. */
INLINE uint64_t load_word(const void *address)
{
    uint64_t word;
    memcpy(&word, address, sizeof word);
    return word;
}

/* Return a word of eight bytes, or of four pairs of bytes, that are all alike. */
INLINE uint64_t repeat_byte(uint8_t byte)
{
    return byte * UINT64_C(0x0101010101010101);
}

INLINE uint64_t repeat_pair(uint16_t pair)
{
    return pair * UINT64_C(0x0001000100010001);
}

/* Define the module and what Python calls to load it; `methods` stand before it. */
#define DEFINE_MODULE(NAME, DOC)                                                                              \
    static PyModuleDef_Slot slots[] = {{0, NULL}};                                                            \
    static struct PyModuleDef definition = {                                                                  \
        PyModuleDef_HEAD_INIT,                                                                                \
        .m_name = #NAME,                                                                                      \
        .m_doc = DOC,                                                                                         \
        .m_methods = methods,                                                                                 \
        .m_slots = slots,                                                                                     \
    };                                                                                                        \
    PyMODINIT_FUNC PyInit_##NAME(void)                                                                        \
    {                                                                                                         \
        return PyModuleDef_Init(&definition);                                                                 \
    }

#endif
