#include <git2.h>
#include <git2/sys/odb_backend.h>
#include <git2/sys/repository.h>

// git_libgit2_opts is variadic, which Swift cannot call.

/// Process-wide settings: no configuration from outside the repository, bounded memory.
static inline int moor_git_configure(size_t window_bytes, size_t mapped_bytes, ssize_t cache_bytes) {
    static const int levels[] = {
        GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA};
    int result = 0;
    for (unsigned i = 0; i < sizeof levels / sizeof *levels; i++)
        result |= git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
    result |= git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    result |= git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, window_bytes);
    result |= git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, mapped_bytes);
    result |= git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, cache_bytes);
    return result;
}
