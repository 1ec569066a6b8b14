# cmake -DROOT=. -P readme.cmake
# README.md names every command and environment variable that the source has; test_readme_layers.c
# checks its layers.

cmake_minimum_required(VERSION 3.18)

file(READ ${ROOT}/README.md readme)
file(GLOB_RECURSE files ${ROOT}/src/*.c)

function(check what pattern prefix)
    foreach(file IN LISTS files)
        file(STRINGS ${file} lines REGEX "${pattern}")
        foreach(line IN LISTS lines)
            string(REGEX MATCH "${pattern}" matched "${line}")
            set(name "${CMAKE_MATCH_1}")
            if(NOT readme MATCHES "${prefix}${name}[^A-Za-z0-9_]")
                message(SEND_ERROR "README.md does not name the ${what} ${name} of ${file}")
            endif()
        endforeach()
    endforeach()
endfunction()

check("environment variable" "\"(LCL_[A-Z_]+)\"" "`")
file(GLOB files ${ROOT}/src/commands/*.c)
check("command" "^    \\.name = \"([a-z]+)\"" "`")
