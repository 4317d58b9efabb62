// The table of functions, and how errors are told.

#include "CFFmpeg.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

static _Thread_local char lastLogLine[256];

static void keep_line(void *source, int level, const char *format, va_list arguments)
{
    (void)source;
    if (level > AV_LOG_ERROR)
        return;
    vsnprintf(lastLogLine, sizeof lastLogLine, format, arguments);
    size_t length = strlen(lastLogLine);
    while (length > 0 && strchr(" \n.", lastLogLine[length - 1]))
        lastLogLine[--length] = 0;
}

void media_clear_log(void) { lastLogLine[0] = 0; }

int media_has_logged(void) { return lastLogLine[0] != 0; }

void media_capture_log(void) { av_log_set_callback(keep_line); }

MediaStatus media_fail(MediaFailure *failure, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failure->text, sizeof failure->text, format, arguments);
    va_end(arguments);
    return MediaStatusFailed;
}

MediaStatus media_fail_code(MediaFailure *failure, int error, const char *attempt)
{
    char word[AV_ERROR_MAX_STRING_SIZE];
    av_strerror(error, word, sizeof word);
    if (lastLogLine[0])
        media_fail(failure, "%s: %s (%s)", attempt, word, lastLogLine);
    else
        media_fail(failure, "%s: %s", attempt, word);
    return error == AVERROR(ENOSPC) ? MediaStatusDiskFull : MediaStatusFailed;
}

char *media_url(const char *path)
{
    size_t size = strlen(path) + 6;
    char *url = av_malloc(size);
    if (url)
        snprintf(url, size, "file:%s", path);
    return url;
}

static const char *describe(void)
{
    static char text[256];
    unsigned codec = avcodec_version(), format = avformat_version(), scale = swscale_version();
    snprintf(text, sizeof text, "libavcodec %u.%u.%u, libavformat %u.%u.%u, libswscale %u.%u.%u, %s",
             codec >> 16, codec >> 8 & 255, codec & 255, format >> 16, format >> 8 & 255,
             format & 255, scale >> 16, scale >> 8 & 255, scale & 255, avcodec_license());
    return text;
}

static void release(void *memory) { av_free(memory); }

static const MediaFunctions functions = {
    .version = MEDIA_INTERFACE_VERSION,
    .describe = describe,
    .release = release,
    .decodePicture = media_decode_picture,
    .encodePicture = media_encode_picture,
    .openReader = media_open_reader,
    .readFrame = media_read_frame,
    .closeReader = media_close_reader,
    .openWriter = media_open_writer,
    .writeFrame = media_write_frame,
    .finishWriter = media_finish_writer,
    .closeWriter = media_close_writer,
    .join = media_join,
};

__attribute__((visibility("default"))) const MediaFunctions *framepack_media_functions(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, media_capture_log);
    return &functions;
}
