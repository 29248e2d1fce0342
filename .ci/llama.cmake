# How .ci/run builds llama.cpp: read by CMake after the project() of llama-cpp-python, it halves the work of the compiler.
# The library that Python does not load (51 of 127 files, whatever the options say) stays out, the graph
# builders, which run once a model, are not optimised, and the arithmetic is, but less than for a release.
set(LLAMA_BUILD_COMMON OFF)
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(LLAMA_ALL_WARNINGS OFF)

function(faster)
    if(TARGET llama)
        target_compile_options(llama PRIVATE -O0)
        target_precompile_headers(llama PRIVATE <algorithm> <cmath> <cstring> <fstream> <functional> <map> <memory>
            <mutex> <regex> <set> <sstream> <string> <thread> <unordered_map> <vector>)
    endif()
endfunction()
cmake_language(DEFER CALL faster)
