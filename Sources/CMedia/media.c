#define _GNU_SOURCE
#include "CMedia.h"

#include <dlfcn.h>

const char *media_image_path(void)
{
    Dl_info information;
    return dladdr((const void *)&media_image_path, &information) ? information.dli_fname : 0;
}
