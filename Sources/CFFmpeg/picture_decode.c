// Picture files in memory to 8-bit RGB.

#include <string.h>

#include "internal.h"

static enum AVCodecID codec_of(MediaPictureFormat format)
{
    switch (format) {
    case MediaPictureFormatJPEG: return AV_CODEC_ID_MJPEG;
    case MediaPictureFormatPNG: return AV_CODEC_ID_PNG;
    case MediaPictureFormatWebP: return AV_CODEC_ID_WEBP;
    case MediaPictureFormatBMP: return AV_CODEC_ID_BMP;
    case MediaPictureFormatGIF: return AV_CODEC_ID_GIF;
    case MediaPictureFormatTIFF: return AV_CODEC_ID_TIFF;
    }
    return AV_CODEC_ID_NONE;
}

static AVCodecContext *strict_decoder(MediaPictureFormat format, MediaFailure *failure)
{
    const AVCodec *codec = avcodec_find_decoder(codec_of(format));
    AVCodecContext *context = codec ? avcodec_alloc_context3(codec) : NULL;
    if (!context) {
        media_fail(failure, "FFmpeg was built without the decoder that it needs");
        return NULL;
    }
    // A damaged picture is an error, never a picture with a grey half.
    context->err_recognition = AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER;
    // A TIFF decoder this strict refuses every tag it does not know; what it logs decides there.
    if (format != MediaPictureFormatTIFF)
        context->err_recognition |= AV_EF_EXPLODE;
    context->thread_count = 1;
    context->max_pixels = (int64_t)MEDIA_LARGEST_EDGE * MEDIA_LARGEST_EDGE;
    if (format == MediaPictureFormatJPEG)
        context->idct_algo = FF_IDCT_INT; // libjpeg's own accurate transform.
    int error = avcodec_open2(context, codec, NULL);
    if (error < 0) {
        media_fail_code(failure, error, "its decoder could not start");
        avcodec_free_context(&context);
    }
    return context;
}

static int receive(AVCodecContext *context, const uint8_t *bytes, int64_t count, AVFrame *frame)
{
    AVPacket *packet = av_packet_alloc();
    int error = packet ? av_new_packet(packet, (int)count) : AVERROR(ENOMEM);
    if (error >= 0) {
        memcpy(packet->data, bytes, (size_t)count);
        error = avcodec_send_packet(context, packet);
    }
    if (error >= 0)
        error = avcodec_send_packet(context, NULL);
    if (error >= 0)
        error = avcodec_receive_frame(context, frame);
    av_packet_free(&packet);
    return error;
}

/// Lays `color` on white; the rounding is Pillow's `alpha_composite`.
static inline uint8_t on_white(unsigned color, unsigned alpha)
{
    unsigned sum = (color * alpha + 255 * (255 - alpha)) * 128 + (0x80 << 7);
    return (uint8_t)(((sum >> 8) + sum) >> 8 >> 7);
}

static int lay_on_white(uint8_t *rgb, const uint8_t *alpha, ptrdiff_t step, int width)
{
    int wasTransparent = 0;
    for (int x = 0; x < width; x++, rgb += 3, alpha += step) {
        if (*alpha == 255)
            continue;
        wasTransparent = 1;
        for (int c = 0; c < 3; c++)
            rgb[c] = on_white(rgb[c], *alpha);
    }
    return wasTransparent;
}

static int palette_rows(const AVFrame *frame, uint8_t *rgb, uint8_t *alpha)
{
    const uint32_t *palette = (const uint32_t *)frame->data[1];
    int wasTransparent = 0;
    for (int row = 0; row < frame->height; row++, rgb += (size_t)frame->width * 3) {
        const uint8_t *in = frame->data[0] + (ptrdiff_t)row * frame->linesize[0];
        for (int x = 0; x < frame->width; x++) {
            uint32_t color = palette[in[x]];
            rgb[x * 3] = (uint8_t)(color >> 16);
            rgb[x * 3 + 1] = (uint8_t)(color >> 8);
            rgb[x * 3 + 2] = (uint8_t)color;
            alpha[x] = (uint8_t)(color >> 24);
        }
        wasTransparent |= lay_on_white(rgb, alpha, 1, frame->width);
    }
    return wasTransparent;
}

/// One component of one row as 8 bits: deeper ones keep their high byte, shallower ones stretch.
static void component_row(const AVFrame *frame, const AVPixFmtDescriptor *format, int row,
                          int component, uint16_t *line, uint8_t *out, ptrdiff_t step)
{
    int depth = format->comp[component].depth;
    av_read_image_line2(line, (const uint8_t **)frame->data, frame->linesize, format, 0, row,
                        component, frame->width, 0, sizeof *line);
    int isInverted = frame->format == AV_PIX_FMT_MONOWHITE, top = (1 << depth) - 1;
    for (int x = 0; x < frame->width; x++) {
        int value = isInverted ? top - line[x] : line[x];
        if (depth >= 8)
            value >>= depth - 8;
        else
            value = (value * 255 + top / 2) / top;
        out[x * step] = (uint8_t)value;
    }
}

static int component_rows(const AVFrame *frame, uint8_t *rgb, uint16_t *line, uint8_t *alpha)
{
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(frame->format);
    int isGrey = format->nb_components <= 2;
    int alphaComponent = format->flags & AV_PIX_FMT_FLAG_ALPHA ? format->nb_components - 1 : -1;
    int wasTransparent = 0;
    for (int row = 0; row < frame->height; row++, rgb += (size_t)frame->width * 3) {
        for (int c = 0; c < 3; c++)
            component_row(frame, format, row, isGrey ? 0 : c, line, rgb + c, 3);
        if (alphaComponent < 0)
            continue;
        component_row(frame, format, row, alphaComponent, line, alpha, 1);
        wasTransparent |= lay_on_white(rgb, alpha, 1, frame->width);
    }
    return wasTransparent;
}

/// Formats without an arithmetic of their own: swscale to RGBA.
static int scale_rows(const AVFrame *frame, uint8_t *rgb, MediaFailure *failure)
{
    int width = frame->width, height = frame->height, stride = width * 4;
    uint8_t *rgba = av_malloc((size_t)stride * height);
    struct SwsContext *scaler = sws_getContext(
        width, height, frame->format, width, height, AV_PIX_FMT_RGBA,
        SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, NULL, NULL, NULL);
    int wasTransparent = -1;
    if (rgba && scaler) {
        uint8_t *planes[4] = {rgba};
        int strides[4] = {stride};
        sws_scale(scaler, (const uint8_t *const *)frame->data, frame->linesize, 0, height, planes,
                  strides);
        wasTransparent = 0;
        for (int row = 0; row < height; row++, rgb += (size_t)width * 3) {
            const uint8_t *in = rgba + (size_t)row * stride;
            for (int x = 0; x < width; x++)
                memcpy(rgb + x * 3, in + x * 4, 3);
            wasTransparent |= lay_on_white(rgb, in + 3, 4, width);
        }
    } else {
        media_fail(failure, "its pixel format cannot be converted to RGB");
    }
    sws_freeContext(scaler);
    av_free(rgba);
    return wasTransparent;
}

static int has_own_arithmetic(const AVFrame *frame, MediaPictureFormat file)
{
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(frame->format);
    if (format->flags & AV_PIX_FMT_FLAG_RGB || !(format->flags & AV_PIX_FMT_FLAG_PLANAR)
        || format->nb_components < 3 || format->comp[0].depth != 8)
        return 0;
    if (file == MediaPictureFormatWebP)
        return format->log2_chroma_w == 1 && format->log2_chroma_h == 1;
    return file == MediaPictureFormatJPEG && format->log2_chroma_w <= 1
        && format->log2_chroma_h <= 1;
}

static MediaStatus planes(const AVFrame *frame, MediaPictureHints hints, MediaPixels *picture,
                          MediaFailure *failure)
{
    int hasFour = frame->data[3] != NULL, isWebP = hints.format == MediaPictureFormatWebP;
    Planes kind = isWebP ? PlanesWebP
        : hasFour && hints.inks == MediaInksCMYK ? PlanesCMYK
        : hasFour && hints.inks == MediaInksYCCK ? PlanesYCCK : PlanesJPEG;
    MediaStatus status = media_planes_to_rgb(frame, kind, picture->bytes, failure);
    if (status == MediaStatusOK && hasFour && isWebP)
        for (int row = 0; row < frame->height; row++)
            picture->wasTransparent |= lay_on_white(
                picture->bytes + (size_t)row * frame->width * 3,
                frame->data[3] + (ptrdiff_t)row * frame->linesize[3], 1, frame->width);
    return status;
}

static MediaStatus to_rgb(const AVFrame *frame, MediaPictureHints hints, MediaPixels *picture,
                          MediaFailure *failure)
{
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(frame->format);
    if (has_own_arithmetic(frame, hints.format))
        return planes(frame, hints, picture, failure);
    int isYUV = format->nb_components >= 3 && !(format->flags & AV_PIX_FMT_FLAG_RGB);
    if (isYUV || format->flags & AV_PIX_FMT_FLAG_FLOAT) {
        int wasTransparent = scale_rows(frame, picture->bytes, failure);
        picture->wasTransparent = wasTransparent > 0;
        return wasTransparent < 0 ? MediaStatusFailed : MediaStatusOK;
    }
    uint16_t *line = av_malloc((size_t)frame->width * 3);
    if (!line)
        return media_fail(failure, "there is no memory left for one row of pixels");
    uint8_t *alpha = (uint8_t *)(line + frame->width);
    picture->wasTransparent = frame->format == AV_PIX_FMT_PAL8
        ? palette_rows(frame, picture->bytes, alpha)
        : component_rows(frame, picture->bytes, line, alpha);
    av_free(line);
    return MediaStatusOK;
}

static MediaStatus convert(const AVFrame *frame, MediaPictureHints hints, MediaPixels *picture,
                           MediaFailure *failure)
{
    if (frame->width > MEDIA_LARGEST_EDGE || frame->height > MEDIA_LARGEST_EDGE)
        return media_fail(failure, "it has %d by %d pixels; at most %d each way are read",
                          frame->width, frame->height, MEDIA_LARGEST_EDGE);
    picture->width = frame->width;
    picture->height = frame->height;
    picture->bytes = av_malloc((size_t)frame->width * frame->height * 3);
    if (!picture->bytes)
        return media_fail(failure, "there is no memory left for its %d by %d pixels", frame->width,
                          frame->height);
    MediaStatus status = to_rgb(frame, hints, picture, failure);
    if (status != MediaStatusOK)
        av_freep(&picture->bytes);
    return status;
}

MediaStatus media_decode_picture(const uint8_t *bytes, int64_t count, MediaPictureHints hints,
                                 MediaPixels *picture, MediaFailure *failure)
{
    memset(picture, 0, sizeof *picture);
    media_clear_log();
    if (count > INT32_MAX - AV_INPUT_BUFFER_PADDING_SIZE)
        return media_fail(failure, "it is larger than 2 GB");
    AVCodecContext *context = strict_decoder(hints.format, failure);
    if (!context)
        return MediaStatusFailed;
    AVFrame *frame = av_frame_alloc();
    int error = frame ? receive(context, bytes, count, frame) : AVERROR(ENOMEM);
    if (error >= 0 && hints.format == MediaPictureFormatTIFF && media_has_logged())
        error = AVERROR_INVALIDDATA;
    MediaStatus status;
    if (error == AVERROR_EOF)
        status = media_fail(failure, "it is damaged: no picture is in it");
    else if (error < 0)
        status = media_fail_code(failure, error, "it is damaged");
    else
        status = convert(frame, hints, picture, failure);
    av_frame_free(&frame);
    avcodec_free_context(&context);
    return status;
}
