/* Names of the status codes of OpenCL and CLBlast. */
#include "lcl/device.h"

#define NAME(code)                                                                       \
    case code: return #code
/* CLBlast's own codes: only blas.c includes its header. */
#define BLAST(code, name)                                                                \
    case code: return "CLBlast" name

const char *lcl_cl_name(int code)
{
    switch (code) {
        NAME(CL_SUCCESS);
        NAME(CL_DEVICE_NOT_FOUND);
        NAME(CL_DEVICE_NOT_AVAILABLE);
        NAME(CL_COMPILER_NOT_AVAILABLE);
        NAME(CL_MEM_OBJECT_ALLOCATION_FAILURE);
        NAME(CL_OUT_OF_RESOURCES);
        NAME(CL_OUT_OF_HOST_MEMORY);
        NAME(CL_PROFILING_INFO_NOT_AVAILABLE);
        NAME(CL_MEM_COPY_OVERLAP);
        NAME(CL_IMAGE_FORMAT_MISMATCH);
        NAME(CL_IMAGE_FORMAT_NOT_SUPPORTED);
        NAME(CL_BUILD_PROGRAM_FAILURE);
        NAME(CL_MAP_FAILURE);
        NAME(CL_MISALIGNED_SUB_BUFFER_OFFSET);
        NAME(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
        NAME(CL_COMPILE_PROGRAM_FAILURE);
        NAME(CL_LINKER_NOT_AVAILABLE);
        NAME(CL_LINK_PROGRAM_FAILURE);
        NAME(CL_DEVICE_PARTITION_FAILED);
        NAME(CL_KERNEL_ARG_INFO_NOT_AVAILABLE);
        NAME(CL_INVALID_VALUE);
        NAME(CL_INVALID_DEVICE_TYPE);
        NAME(CL_INVALID_PLATFORM);
        NAME(CL_INVALID_DEVICE);
        NAME(CL_INVALID_CONTEXT);
        NAME(CL_INVALID_QUEUE_PROPERTIES);
        NAME(CL_INVALID_COMMAND_QUEUE);
        NAME(CL_INVALID_HOST_PTR);
        NAME(CL_INVALID_MEM_OBJECT);
        NAME(CL_INVALID_IMAGE_FORMAT_DESCRIPTOR);
        NAME(CL_INVALID_IMAGE_SIZE);
        NAME(CL_INVALID_SAMPLER);
        NAME(CL_INVALID_BINARY);
        NAME(CL_INVALID_BUILD_OPTIONS);
        NAME(CL_INVALID_PROGRAM);
        NAME(CL_INVALID_PROGRAM_EXECUTABLE);
        NAME(CL_INVALID_KERNEL_NAME);
        NAME(CL_INVALID_KERNEL_DEFINITION);
        NAME(CL_INVALID_KERNEL);
        NAME(CL_INVALID_ARG_INDEX);
        NAME(CL_INVALID_ARG_VALUE);
        NAME(CL_INVALID_ARG_SIZE);
        NAME(CL_INVALID_KERNEL_ARGS);
        NAME(CL_INVALID_WORK_DIMENSION);
        NAME(CL_INVALID_WORK_GROUP_SIZE);
        NAME(CL_INVALID_WORK_ITEM_SIZE);
        NAME(CL_INVALID_GLOBAL_OFFSET);
        NAME(CL_INVALID_EVENT_WAIT_LIST);
        NAME(CL_INVALID_EVENT);
        NAME(CL_INVALID_OPERATION);
        NAME(CL_INVALID_GL_OBJECT);
        NAME(CL_INVALID_BUFFER_SIZE);
        NAME(CL_INVALID_MIP_LEVEL);
        NAME(CL_INVALID_GLOBAL_WORK_SIZE);
        NAME(CL_INVALID_PROPERTY);
        NAME(CL_INVALID_IMAGE_DESCRIPTOR);
        NAME(CL_INVALID_COMPILER_OPTIONS);
        NAME(CL_INVALID_LINKER_OPTIONS);
        NAME(CL_INVALID_DEVICE_PARTITION_COUNT);
    case -1001:
        return "CL_PLATFORM_NOT_FOUND_KHR";
        BLAST(-1024, "NotImplemented");
        BLAST(-1022, "InvalidMatrixA");
        BLAST(-1021, "InvalidMatrixB");
        BLAST(-1020, "InvalidMatrixC");
        BLAST(-1019, "InvalidVectorX");
        BLAST(-1018, "InvalidVectorY");
        BLAST(-1017, "InvalidDimension");
        BLAST(-1016, "InvalidLeadDimA");
        BLAST(-1015, "InvalidLeadDimB");
        BLAST(-1014, "InvalidLeadDimC");
        BLAST(-1013, "InvalidIncrementX");
        BLAST(-1012, "InvalidIncrementY");
        BLAST(-1011, "InsufficientMemoryA");
        BLAST(-1010, "InsufficientMemoryB");
        BLAST(-1009, "InsufficientMemoryC");
        BLAST(-1008, "InsufficientMemoryX");
        BLAST(-1007, "InsufficientMemoryY");
        BLAST(-2050, "InsufficientMemoryTemp");
        BLAST(-2049, "InvalidBatchCount");
        BLAST(-2048, "InvalidOverrideKernel");
        BLAST(-2047, "MissingOverrideParameter");
        BLAST(-2046, "InvalidLocalMemUsage");
        BLAST(-2045, "NoHalfPrecision");
        BLAST(-2044, "NoDoublePrecision");
        BLAST(-2043, "InvalidVectorScalar");
        BLAST(-2042, "InsufficientMemoryScalar");
        BLAST(-2041, "DatabaseError");
        BLAST(-2040, "UnknownError");
        BLAST(-2039, "UnexpectedError");
    default: return "an OpenCL status without a name";
    }
}
