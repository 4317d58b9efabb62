// Frames to H.264 in MP4, to GIF and to animated WebP.

#include <string.h>

#include "internal.h"

struct MediaWriter {
    MediaVideoKind kind;
    AVFormatContext *format;
    AVCodecContext *encoder;
    AVStream *stream;
    AVPacket *packet;
    AVFrame *frame;
    AVRational rate;
    int64_t frames;
    uint8_t palette[765];
};

static const AVCodec *encoder_of(MediaVideoKind kind)
{
    switch (kind) {
    case MediaVideoKindMP4: return avcodec_find_encoder_by_name("libx264");
    case MediaVideoKindGIF: return avcodec_find_encoder(AV_CODEC_ID_GIF);
    case MediaVideoKindWebP: return avcodec_find_encoder_by_name("libwebp_anim");
    }
    return NULL;
}

static const char *muxer_of(MediaVideoKind kind)
{
    return kind == MediaVideoKindMP4 ? "mp4" : kind == MediaVideoKindGIF ? "gif" : "webp";
}

static void configure_h264(AVCodecContext *context, const MediaVideoSettings *settings)
{
    context->pix_fmt = AV_PIX_FMT_YUV420P;
    context->color_primaries = AVCOL_PRI_BT709;
    context->color_trc = AVCOL_TRC_BT709;
    context->colorspace = AVCOL_SPC_BT709;
    context->color_range = AVCOL_RANGE_MPEG;
    context->chroma_sample_location = AVCHROMA_LOC_LEFT;
    // Without B-frames every packet's time is its frame's number: no edit list, no shifted start,
    // and closed files that follow one another without a seam.
    context->max_b_frames = 0;
    context->gop_size = 2 * settings->rateNumerator / settings->rateDenominator;
    if (context->gop_size < 1)
        context->gop_size = 1;
    // The bytes depend on the number of threads, which would follow the number of cores.
    context->thread_count = 1;
    // And on the vector code with which macroblock-tree weighs what later frames refer to: it rounds
    // otherwise than the C code, and for AVX-512 it adds up motion vectors from behind the end of
    // their array (widths that are no multiple of 128), which is whatever lay in memory.
    av_opt_set(context->priv_data, "x264-params", "cpu-independent=1", 0);
    av_opt_set(context->priv_data, "preset", "medium", 0);
    av_opt_set(context->priv_data, "profile", "high", 0);
    // 0 would ask for the lossless profile, which browsers do not play.
    av_opt_set_double(context->priv_data, "crf", settings->quality < 1 ? 1 : settings->quality, 0);
}

static int open_encoder(MediaWriter *writer, const AVCodec *codec,
                        const MediaVideoSettings *settings)
{
    AVCodecContext *context = writer->encoder = avcodec_alloc_context3(codec);
    if (!context)
        return AVERROR(ENOMEM);
    context->width = settings->width;
    context->height = settings->height;
    context->framerate = writer->rate;
    context->time_base = av_inv_q(writer->rate);
    if (settings->kind == MediaVideoKindMP4) {
        configure_h264(context, settings);
    } else if (settings->kind == MediaVideoKindGIF) {
        context->pix_fmt = AV_PIX_FMT_PAL8;
        context->time_base = (AVRational){1, 100};
    } else {
        context->pix_fmt = AV_PIX_FMT_RGB32;
        context->time_base = (AVRational){1, 1000};
        av_opt_set_double(context->priv_data, "quality", settings->quality, 0);
    }
    if (writer->format->oformat->flags & AVFMT_GLOBALHEADER)
        context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    return avcodec_open2(context, codec, NULL);
}

static int write_header(AVFormatContext *format)
{
    AVDictionary *options = NULL;
    if (!strcmp(format->oformat->name, "mp4")) {
        av_dict_set(&options, "movflags", "+faststart+write_colr", 0);
    } else {
        av_dict_set(&options, "loop", "0", 0);
    }
    int error = avformat_write_header(format, &options);
    av_dict_free(&options);
    return error;
}

static int open_output(MediaWriter *writer, const char *path, const MediaVideoSettings *settings)
{
    char *url = media_url(path);
    int error = url ? avio_open(&writer->format->pb, url, AVIO_FLAG_WRITE) : AVERROR(ENOMEM);
    av_free(url);
    if (error < 0)
        return error;
    writer->stream = avformat_new_stream(writer->format, NULL);
    if (!writer->stream)
        return AVERROR(ENOMEM);
    error = avcodec_parameters_from_context(writer->stream->codecpar, writer->encoder);
    if (error < 0)
        return error;
    writer->stream->time_base = writer->encoder->time_base;
    writer->stream->avg_frame_rate = writer->rate;
    // The same request gives the same bytes: no clock, no library version.
    writer->format->flags |= AVFMT_FLAG_BITEXACT;
    if (settings->comment)
        av_dict_set(&writer->format->metadata, "comment", settings->comment, 0);
    return write_header(writer->format);
}

static int allocate_frame(MediaWriter *writer)
{
    writer->packet = av_packet_alloc();
    writer->frame = av_frame_alloc();
    if (!writer->packet || !writer->frame)
        return AVERROR(ENOMEM);
    writer->frame->format = writer->encoder->pix_fmt;
    writer->frame->width = writer->encoder->width;
    writer->frame->height = writer->encoder->height;
    return av_frame_get_buffer(writer->frame, 0);
}

MediaStatus media_open_writer(const char *path, const MediaVideoSettings *settings,
                              MediaWriter **result, MediaFailure *failure)
{
    media_clear_log();
    *result = NULL;
    const AVCodec *codec = encoder_of(settings->kind);
    if (!codec)
        return media_fail(failure, "FFmpeg was built without the encoder %s",
                          settings->kind == MediaVideoKindMP4 ? "libx264"
                          : settings->kind == MediaVideoKindGIF ? "gif" : "libwebp_anim");
    MediaWriter *writer = av_mallocz(sizeof *writer);
    if (!writer)
        return media_fail(failure, "there is no memory left for the encoder");
    writer->kind = settings->kind;
    writer->rate = (AVRational){settings->rateNumerator, settings->rateDenominator};
    if (settings->palette)
        memcpy(writer->palette, settings->palette, sizeof writer->palette);
    int error = avformat_alloc_output_context2(&writer->format, NULL, muxer_of(settings->kind), path);
    if (error >= 0)
        error = open_encoder(writer, codec, settings);
    if (error >= 0)
        error = open_output(writer, path, settings);
    if (error >= 0)
        error = allocate_frame(writer);
    if (error < 0) {
        MediaStatus status = media_fail_code(failure, error, "it could not be begun");
        media_close_writer(writer);
        return status;
    }
    *result = writer;
    return MediaStatusOK;
}

/// Hands what the encoder has ready to the file; `AVERROR(EAGAIN)` and the end are no errors.
static int drain(MediaWriter *writer)
{
    for (;;) {
        int error = avcodec_receive_packet(writer->encoder, writer->packet);
        if (error == AVERROR(EAGAIN) || error == AVERROR_EOF)
            return 0;
        if (error < 0)
            return error;
        if (writer->kind == MediaVideoKindMP4)
            writer->packet->duration = 1;
        av_packet_rescale_ts(writer->packet, writer->encoder->time_base, writer->stream->time_base);
        writer->packet->stream_index = writer->stream->index;
        error = av_interleaved_write_frame(writer->format, writer->packet);
        if (error >= 0)
            error = writer->format->pb->error;
        if (error < 0)
            return error;
    }
}

static void fill_indices(AVFrame *frame, const uint8_t *indices, const uint8_t *palette)
{
    for (int row = 0; row < frame->height; row++)
        memcpy(frame->data[0] + (ptrdiff_t)row * frame->linesize[0],
               indices + (size_t)row * frame->width, (size_t)frame->width);
    uint32_t *colors = (uint32_t *)frame->data[1];
    // The last entry is see-through: the encoder puts it where a pixel did not change.
    colors[255] = 0;
    for (int i = 0; i < 255; i++)
        colors[i] = 0xFF000000u | (uint32_t)palette[i * 3] << 16 | (uint32_t)palette[i * 3 + 1] << 8
            | palette[i * 3 + 2];
}

static void fill_rgb32(AVFrame *frame, const uint8_t *pixels)
{
    for (int row = 0; row < frame->height; row++) {
        uint32_t *out = (uint32_t *)(frame->data[0] + (ptrdiff_t)row * frame->linesize[0]);
        for (int x = 0; x < frame->width; x++, pixels += 3)
            out[x] = 0xFF000000u | (uint32_t)pixels[0] << 16 | (uint32_t)pixels[1] << 8 | pixels[2];
    }
}

MediaStatus media_write_frame(MediaWriter *writer, const uint8_t *pixels, MediaFailure *failure)
{
    media_clear_log();
    int error = av_frame_make_writable(writer->frame);
    if (error >= 0) {
        if (writer->kind == MediaVideoKindMP4)
            media_rgb_to_bt709(pixels, writer->frame);
        else if (writer->kind == MediaVideoKindGIF)
            fill_indices(writer->frame, pixels, writer->palette);
        else
            fill_rgb32(writer->frame, pixels);
        writer->frame->pts = av_rescale_q(writer->frames, av_inv_q(writer->rate),
                                          writer->encoder->time_base);
        writer->frames++;
        error = avcodec_send_frame(writer->encoder, writer->frame);
    }
    if (error >= 0)
        error = drain(writer);
    return error < 0 ? media_fail_code(failure, error, "a frame could not be written")
                     : MediaStatusOK;
}

MediaStatus media_finish_writer(MediaWriter *writer, MediaFailure *failure)
{
    media_clear_log();
    int error = avcodec_send_frame(writer->encoder, NULL);
    if (error >= 0)
        error = drain(writer);
    if (error >= 0)
        error = av_write_trailer(writer->format);
    if (error >= 0)
        error = writer->format->pb->error;
    int closing = avio_closep(&writer->format->pb);
    if (error >= 0)
        error = closing;
    return error < 0 ? media_fail_code(failure, error, "it could not be completed")
                     : MediaStatusOK;
}

void media_close_writer(MediaWriter *writer)
{
    if (!writer)
        return;
    if (writer->format)
        avio_closep(&writer->format->pb);
    avformat_free_context(writer->format);
    avcodec_free_context(&writer->encoder);
    av_packet_free(&writer->packet);
    av_frame_free(&writer->frame);
    av_free(writer);
}
