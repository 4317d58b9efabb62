// What the files of this library share.

#pragma once

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/dict.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

#include "CMedia.h"

// Only the table of functions is seen from outside.
#pragma GCC visibility push(hidden)

/// The largest edge of a picture or a video, in pixels.
#define MEDIA_LARGEST_EDGE 16384

/// Writes `format` into `failure` and returns `MediaStatusFailed`.
MediaStatus media_fail(MediaFailure *failure, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/// Says what was tried, FFmpeg's own word for `error`, and the last line that FFmpeg logged.
MediaStatus media_fail_code(MediaFailure *failure, int error, const char *attempt);

/// Forgets the last line that FFmpeg logged in this thread.
void media_clear_log(void);

/// Whether FFmpeg logged an error in this thread since then.
int media_has_logged(void);

/// Keeps FFmpeg's errors for `media_fail_code` instead of printing them.
void media_capture_log(void);

/// "file:" and the path, so that no part of a name is taken for a protocol; freed by `av_free`.
char *media_url(const char *path);

/// What the planes of a picture are.
typedef enum Planes { PlanesJPEG, PlanesWebP, PlanesCMYK, PlanesYCCK } Planes;

/// Interpolates the smaller planes and makes RGB of all.
MediaStatus media_planes_to_rgb(const AVFrame *frame, Planes planes, uint8_t *rgb,
                                MediaFailure *failure);

/// One 8-bit RGB frame to 4:2:0 BT.709 planes in limited range, chroma sited left.
void media_rgb_to_bt709(const uint8_t *rgb, AVFrame *frame);

MediaStatus media_decode_picture(const uint8_t *bytes, int64_t count, MediaPictureHints hints,
                                 MediaPixels *picture, MediaFailure *failure);
MediaStatus media_encode_picture(const uint8_t *pixels, int32_t width, int32_t height,
                                 MediaPictureFormat format, int32_t quality, MediaBytes *file,
                                 MediaFailure *failure);
MediaStatus media_open_reader(const char *path, MediaReader **reader, MediaVideoInfo *info,
                              MediaFailure *failure);
MediaStatus media_read_frame(MediaReader *reader, int32_t width, int32_t height, uint8_t *pixels,
                             double *seconds, MediaFailure *failure);
void media_close_reader(MediaReader *reader);
MediaStatus media_open_writer(const char *path, const MediaVideoSettings *settings,
                              MediaWriter **writer, MediaFailure *failure);
MediaStatus media_write_frame(MediaWriter *writer, const uint8_t *pixels, MediaFailure *failure);
MediaStatus media_finish_writer(MediaWriter *writer, MediaFailure *failure);
void media_close_writer(MediaWriter *writer);
MediaStatus media_join(const char *const *paths, int32_t count, const char *output,
                       const char *comment, MediaFailure *failure);

#pragma GCC visibility pop
