# cmake -DROOT=. -P includes.cmake
# A file includes only rows of a smaller number than its own;
# the areas of one row do not know each other. Third-party headers stay in their areas.

cmake_minimum_required(VERSION 3.18)

# row | area | files that belong to it, as a regular expression over the path without suffix
set(table
    "0|base|lcl/(error|log)|text[a-z_]*|json_file|only|rng|error|log"
    "1|proto|lcl/proto|proto[a-z_]*"
    "1|device|lcl/device|lcl/profile|device[a-z_]*|program[a-z_]*|profile[a-z_]*|fault|cl_name|tile|tuning"
    "1|source|source[a-z_]*|prefetch|idx[a-z_]*|lmdb[a-z_]*|leveldb[a-z_]*|db_write[a-z_]*|[a-z_]*_source|datum|image[a-z_]*|planes|window_list|npy|npz|hdf5_file"
    "2|blas|lcl/blas|blas[a-z_]*"
    "2|blob|lcl/blob|blob[a-z_]*"
    "2|filler|filler"
    "3|layer|lcl/layer|layer[a-z_]*|layers/list|elementwise|axis_view|loss"
    "3|layer|shape|unary|view|window|channelwise|gather|bias_sum"
    "4|layers|layers/[a-z0-9_]+"
    "5|golden|golden[a-z_]*"
    "5|net|lcl/net|net[a-z0-9_]*|step[a-z_]*|fuse[a-z_]*"
    "6|solver|lcl/solver|solver[a-z_]*|update[a-z_]*|snapshot[a-z0-9_]*|learning_rate"
    "6|onnx|lcl/onnx|onnx/[a-z_]+"
    "7|bench|bench/[a-z_]+"
    "8|verify|verify/[a-z_]+"
    "9|commands|commands/[a-z_]+"
    "10|main|main")

# header | areas that may include it
set(third_party
    "jansson.h|base|bench|device|verify"
    "caffe.pb-c.h|proto|source|filler|layer|layers|net|solver|verify|commands"
    "onnx.pb-c.h|onnx"
    "protobuf-c/protobuf-c.h|proto"
    "CL/cl.h|device"
    "clblast_c.h|blas"
    "lmdb.h|source|layers"
    "leveldb/c.h|source"
    "hdf5.h|source"
    "zip.h|source"
    "png.h|source"
    "jpeglib.h|source"
    "jerror.h|source"
    "zlib.h|source|golden"
    "kernels.inc|device"
    "golden.inc|verify")

file(READ ${ROOT}/src/layers/list.h layer_list)

# Layers that may know where records come from.
set(data_layers "layers/(data|image_data|hdf5_data|hdf5_output|memory_data|window_data|dummy_data|transform|feed|staging|resident|mean_image)")

# file>header: layers that are another one run the other way, or a part of it.
set(kin "layers/deconvolution>layers/convolution" "layers/im2col>layers/convolution")

# Sets <prefix>_row and <prefix>_area of a path such as layers/relu; area "" where unknown.
function(find_area path prefix)
    set(${prefix}_area "" PARENT_SCOPE)
    foreach(line IN LISTS table)
        string(REGEX MATCH "^([0-9]+)\\|([a-z]+)\\|(.*)$" matched "${line}")
        if("${path}" MATCHES "^(${CMAKE_MATCH_3})$")
            string(REGEX MATCH "^([0-9]+)\\|([a-z]+)\\|" matched "${line}")
            set(${prefix}_row ${CMAKE_MATCH_1} PARENT_SCOPE)
            set(${prefix}_area ${CMAKE_MATCH_2} PARENT_SCOPE)
            return()
        endif()
    endforeach()
endfunction()

function(check_third_party file header)
    foreach(line IN LISTS third_party)
        string(REPLACE "|" ";" fields "${line}")
        list(POP_FRONT fields name)
        if(header STREQUAL name AND NOT file_area IN_LIST fields)
            message(SEND_ERROR "${file} includes <${header}>; only ${fields} may")
        endif()
    endforeach()
endfunction()

# `path` is what the file (of ${path}, ${file_row}, ${file_area}) includes of ours.
function(check_ours file path header)
    find_area(${header} other)
    if(other_area STREQUAL "")
        message(SEND_ERROR "${file} includes ${header}.h, which tests/includes.cmake does not know")
    elseif(other_area STREQUAL "source" AND file_area MATCHES "^layers?$"
            AND NOT path MATCHES "^${data_layers}$")
        message(SEND_ERROR "${file} includes ${header}.h; only data layers may")
    elseif(other_area STREQUAL file_area)
        # A layer's further files begin with its name; what is not listed is no layer.
        string(REPLACE "layers/" "" name "${header}")
        if(file_area STREQUAL "layers" AND layer_list MATCHES "LAYER\\(${name}\\)"
                AND NOT path MATCHES "^${header}(_[a-z0-9_]+)?$"
                AND NOT path MATCHES "^${data_layers}$"
                AND NOT "${path}>${header}" IN_LIST kin)
            message(SEND_ERROR "${file} includes another layer, ${header}.h")
        endif()
    elseif(NOT other_row LESS file_row)
        message(SEND_ERROR "${file} (${file_area}) includes ${header}.h (${other_area}), "
            "which has no smaller row number")
    endif()
endfunction()

# Our header's path as the table writes it: next to the file, in src, or in include.
function(resolve folder header out)
    string(REGEX REPLACE "\\.h$" "" path "${header}")
    if(NOT folder STREQUAL "" AND EXISTS ${ROOT}/src/${folder}/${header})
        set(path ${folder}/${path})
    endif()
    set(${out} ${path} PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/include/*.h ${ROOT}/src/*.h ${ROOT}/src/*.c)
foreach(file IN LISTS files)
    string(REGEX REPLACE "^src/|\\.[ch]$" "" path "${file}")
    string(REGEX REPLACE "^include/" "" path "${path}")
    get_filename_component(folder "${path}" DIRECTORY)
    find_area(${path} file)
    if(file_area STREQUAL "")
        message(SEND_ERROR "${file} is in no row: add it to tests/includes.cmake")
        continue()
    endif()
    file(STRINGS ${ROOT}/${file} lines REGEX "^ *# *include ")
    foreach(line IN LISTS lines)
        string(REGEX MATCH "[<\"]([^>\"]+)[>\"]" matched "${line}")
        set(header "${CMAKE_MATCH_1}")
        check_third_party(${file} ${header})
        if(matched MATCHES "^\"" AND header MATCHES "\\.h$" AND NOT header MATCHES "\\.pb-c\\.h$")
            resolve("${folder}" ${header} ours)
            check_ours(${file} ${path} ${ours})
        endif()
    endforeach()
endforeach()
