/* Includes a file that is nowhere, for tests/test_device.c. */

#include "nowhere.cl"
