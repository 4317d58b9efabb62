// 8-bit RGB to PNG and JPEG files in memory.

#include <string.h>

#include "internal.h"

static AVFrame *source_frame(const uint8_t *pixels, enum AVPixelFormat format, int width,
                             int height)
{
    AVFrame *frame = av_frame_alloc();
    if (!frame)
        return NULL;
    frame->format = format;
    frame->width = width;
    frame->height = height;
    if (av_frame_get_buffer(frame, 0) < 0) {
        av_frame_free(&frame);
        return NULL;
    }
    if (format == AV_PIX_FMT_RGB24) {
        for (int row = 0; row < height; row++)
            memcpy(frame->data[0] + (ptrdiff_t)row * frame->linesize[0],
                   pixels + (size_t)row * width * 3, (size_t)width * 3);
        return frame;
    }
    // JPEG: full range BT.601 at full chroma resolution.
    for (int row = 0; row < height; row++) {
        const uint8_t *in = pixels + (size_t)row * width * 3;
        for (int x = 0; x < width; x++, in += 3) {
            int r = in[0], g = in[1], b = in[2], at[3];
            at[0] = (19595 * r + 38470 * g + 7471 * b + 32768) >> 16;
            at[1] = (-11059 * r - 21709 * g + 32768 * b + (128 << 16) + 32767) >> 16;
            at[2] = (32768 * r - 27439 * g - 5329 * b + (128 << 16) + 32767) >> 16;
            for (int c = 0; c < 3; c++)
                frame->data[c][(ptrdiff_t)row * frame->linesize[c] + x] = (uint8_t)at[c];
        }
    }
    frame->color_range = AVCOL_RANGE_JPEG;
    return frame;
}

static int open_encoder(AVCodecContext *context, const AVCodec *codec, const AVFrame *frame,
                        int quality)
{
    context->width = frame->width;
    context->height = frame->height;
    context->pix_fmt = frame->format;
    context->time_base = (AVRational){1, 1};
    context->thread_count = 1;
    if (codec->id == AV_CODEC_ID_MJPEG) {
        // 100 is the finest quantiser, 1 the coarsest.
        int scale = quality < 1 ? 1 : quality > 100 ? 100 : quality;
        context->flags |= AV_CODEC_FLAG_QSCALE | AV_CODEC_FLAG_BITEXACT;
        context->global_quality = FF_QP2LAMBDA * (1 + (100 - scale) * 30 / 99);
        context->qmin = 1;
        context->color_range = AVCOL_RANGE_JPEG;
    }
    return avcodec_open2(context, codec, NULL);
}

static int encode(AVCodecContext *context, AVFrame *frame, AVPacket *packet)
{
    frame->quality = context->global_quality;
    int error = avcodec_send_frame(context, frame);
    if (error >= 0)
        error = avcodec_send_frame(context, NULL);
    return error < 0 ? error : avcodec_receive_packet(context, packet);
}

MediaStatus media_encode_picture(const uint8_t *pixels, int32_t width, int32_t height,
                                 MediaPictureFormat format, int32_t quality, MediaBytes *file,
                                 MediaFailure *failure)
{
    memset(file, 0, sizeof *file);
    media_clear_log();
    int isJPEG = format == MediaPictureFormatJPEG;
    const AVCodec *codec = avcodec_find_encoder(isJPEG ? AV_CODEC_ID_MJPEG : AV_CODEC_ID_PNG);
    if (!codec)
        return media_fail(failure, "FFmpeg was built without the encoder for this picture");
    AVCodecContext *context = avcodec_alloc_context3(codec);
    AVFrame *frame =
        source_frame(pixels, isJPEG ? AV_PIX_FMT_YUVJ444P : AV_PIX_FMT_RGB24, width, height);
    AVPacket *packet = av_packet_alloc();
    int error = context && frame && packet ? open_encoder(context, codec, frame, quality)
                                           : AVERROR(ENOMEM);
    if (error >= 0)
        error = encode(context, frame, packet);
    if (error >= 0) {
        file->bytes = av_memdup(packet->data, (size_t)packet->size);
        file->count = packet->size;
        if (!file->bytes)
            error = AVERROR(ENOMEM);
    }
    av_packet_free(&packet);
    av_frame_free(&frame);
    avcodec_free_context(&context);
    return error < 0 ? media_fail_code(failure, error, "the picture could not be encoded")
                     : MediaStatusOK;
}
