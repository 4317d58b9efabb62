// Videos, frame by frame, to 8-bit RGB.

#include <string.h>

#include "internal.h"

struct MediaReader {
    AVFormatContext *format;
    AVCodecContext *decoder;
    struct SwsContext *scaler;
    enum AVPixelFormat scalerFormat;
    int32_t scalerWidth, scalerHeight;
    AVPacket *packet;
    AVFrame *frame;
    int stream, isDrained;
};

// Containers that hold their own frames; playlists, which name other files, are not among them.
static const char *const containers = "mov,matroska,mpegts,avi,gif,apng,mpeg,flv,ogg,h264,yuv4mpegpipe";

static int open_container(const char *path, AVFormatContext **format)
{
    AVDictionary *options = NULL;
    av_dict_set(&options, "protocol_whitelist", "file", 0);
    av_dict_set(&options, "format_whitelist", containers, 0);
    char *url = media_url(path);
    int error = url ? avformat_open_input(format, url, NULL, &options) : AVERROR(ENOMEM);
    av_free(url);
    av_dict_free(&options);
    return error;
}

static int rotation_of(const AVStream *stream)
{
    const int32_t *matrix = NULL;
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
    const AVPacketSideData *data = av_packet_side_data_get(
        stream->codecpar->coded_side_data, stream->codecpar->nb_coded_side_data,
        AV_PKT_DATA_DISPLAYMATRIX);
    if (data && data->size >= 36)
        matrix = (const int32_t *)data->data;
#else
    matrix = (const int32_t *)av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, NULL);
#endif
    if (!matrix)
        return 0;
    int quarters = (int)(-av_display_rotation_get(matrix) / 90 + 4.5) % 4;
    return quarters * 90;
}

/// Frames in all, and when the last of them ends, by reading every packet of a second copy of the
/// container.
///
/// `length` is that of a packet that has none of its own; `end` is in the stream's units.
static int64_t count_packets(const char *path, int stream, int64_t length, int64_t *end)
{
    *end = AV_NOPTS_VALUE;
    AVFormatContext *format = NULL;
    if (open_container(path, &format) < 0)
        return 0;
    AVPacket *packet = av_packet_alloc();
    int64_t count = 0;
    while (packet && av_read_frame(format, packet) >= 0) {
        if (packet->stream_index == stream) {
            count++;
            int64_t last = packet->pts + (packet->duration > 0 ? packet->duration : length);
            if (packet->pts != AV_NOPTS_VALUE && (*end == AV_NOPTS_VALUE || last > *end))
                *end = last;
        }
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    avformat_close_input(&format);
    return count;
}

static int open_decoder(MediaReader *reader, const AVCodec *codec)
{
    reader->decoder = avcodec_alloc_context3(codec);
    reader->packet = av_packet_alloc();
    reader->frame = av_frame_alloc();
    if (!reader->decoder || !reader->packet || !reader->frame)
        return AVERROR(ENOMEM);
    const AVStream *stream = reader->format->streams[reader->stream];
    int error = avcodec_parameters_to_context(reader->decoder, stream->codecpar);
    reader->decoder->max_pixels = (int64_t)MEDIA_LARGEST_EDGE * MEDIA_LARGEST_EDGE;
    reader->decoder->thread_count = 0;
    return error < 0 ? error : avcodec_open2(reader->decoder, codec, NULL);
}

static void describe(MediaReader *reader, const char *path, MediaVideoInfo *info)
{
    const AVStream *stream = reader->format->streams[reader->stream];
    AVRational rate = stream->avg_frame_rate.num ? stream->avg_frame_rate : stream->r_frame_rate;
    info->width = stream->codecpar->width;
    info->height = stream->codecpar->height;
    info->rateNumerator = rate.num;
    info->rateDenominator = rate.den ? rate.den : 1;
    info->rotation = rotation_of(stream);
    // A container without a table of its frames tells the length of all its streams together.
    int64_t end = AV_NOPTS_VALUE;
    int64_t length = rate.num > 0 && rate.den > 0
        ? av_rescale_q(1, av_inv_q(rate), stream->time_base) : 0;
    info->frames = stream->nb_frames ? stream->nb_frames
                                     : count_packets(path, reader->stream, length, &end);
    int64_t start = stream->start_time == AV_NOPTS_VALUE ? 0 : stream->start_time;
    if (end != AV_NOPTS_VALUE && end > start)
        info->seconds = (double)(end - start) * av_q2d(stream->time_base);
    else if (stream->duration > 0)
        info->seconds = (double)stream->duration * av_q2d(stream->time_base);
    else if (reader->format->duration > 0)
        info->seconds = (double)reader->format->duration / AV_TIME_BASE;
    AVDictionaryEntry *comment = av_dict_get(reader->format->metadata, "comment", NULL, 0);
    info->comment = comment ? comment->value : NULL;
}

MediaStatus media_open_reader(const char *path, MediaReader **result, MediaVideoInfo *info,
                              MediaFailure *failure)
{
    memset(info, 0, sizeof *info);
    media_clear_log();
    *result = NULL;
    MediaReader *reader = av_mallocz(sizeof *reader);
    if (!reader)
        return media_fail(failure, "there is no memory left to open it");
    const AVCodec *codec = NULL;
    int error = open_container(path, &reader->format);
    if (error >= 0)
        error = avformat_find_stream_info(reader->format, NULL);
    if (error >= 0) {
#if LIBAVFORMAT_VERSION_MAJOR >= 59
        error = av_find_best_stream(reader->format, AVMEDIA_TYPE_VIDEO, -1, -1, &codec, 0);
#else
        error = av_find_best_stream(reader->format, AVMEDIA_TYPE_VIDEO, -1, -1,
                                    (AVCodec **)&codec, 0);
#endif
        reader->stream = error;
    }
    if (error >= 0)
        error = open_decoder(reader, codec);
    if (error < 0) {
        MediaStatus status = media_fail_code(failure, error, "it is not a video that can be read");
        media_close_reader(reader);
        return status;
    }
    describe(reader, path, info);
    if (info->width > MEDIA_LARGEST_EDGE || info->height > MEDIA_LARGEST_EDGE) {
        media_close_reader(reader);
        return media_fail(failure, "its frames have %d by %d pixels; at most %d each way are read",
                          info->width, info->height, MEDIA_LARGEST_EDGE);
    }
    *result = reader;
    return MediaStatusOK;
}

/// The next decoded frame: 0, `AVERROR_EOF`, or an error.
static int next_frame(MediaReader *reader)
{
    for (;;) {
        int error = avcodec_receive_frame(reader->decoder, reader->frame);
        if (error != AVERROR(EAGAIN))
            return error;
        error = reader->isDrained ? AVERROR_EOF : av_read_frame(reader->format, reader->packet);
        if (error == AVERROR_EOF) {
            if (reader->isDrained)
                return error;
            reader->isDrained = 1;
            error = avcodec_send_packet(reader->decoder, NULL);
        } else if (error >= 0) {
            if (reader->packet->stream_index == reader->stream)
                error = avcodec_send_packet(reader->decoder, reader->packet);
            av_packet_unref(reader->packet);
        }
        if (error < 0)
            return error;
    }
}

static struct SwsContext *scaler_for(MediaReader *reader, int32_t width, int32_t height)
{
    const AVFrame *frame = reader->frame;
    if (reader->scaler && reader->scalerFormat == frame->format && reader->scalerWidth == width
        && reader->scalerHeight == height)
        return reader->scaler;
    sws_freeContext(reader->scaler);
    reader->scalerFormat = frame->format;
    reader->scalerWidth = width;
    reader->scalerHeight = height;
    int isResized = width != frame->width || height != frame->height;
    reader->scaler = sws_getContext(frame->width, frame->height, frame->format, width, height,
                                    AV_PIX_FMT_RGB24,
                                    (isResized ? SWS_AREA : SWS_BILINEAR) | SWS_ACCURATE_RND
                                        | SWS_FULL_CHR_H_INT,
                                    NULL, NULL, NULL);
    if (!reader->scaler)
        return NULL;
    int isBT709 = frame->colorspace == AVCOL_SPC_BT709
        || (frame->colorspace == AVCOL_SPC_UNSPECIFIED && frame->height >= 720);
    const int *matrix = sws_getCoefficients(isBT709 ? SWS_CS_ITU709 : SWS_CS_ITU601);
    sws_setColorspaceDetails(reader->scaler, matrix, frame->color_range == AVCOL_RANGE_JPEG, matrix,
                             1, 0, 1 << 16, 1 << 16);
    return reader->scaler;
}

/// When the frame is shown, in seconds from the stream's beginning; -1 when nothing says so.
static double seconds_of(const MediaReader *reader)
{
    const AVStream *stream = reader->format->streams[reader->stream];
    int64_t time = reader->frame->best_effort_timestamp;
    if (time == AV_NOPTS_VALUE)
        return -1;
    int64_t start = stream->start_time == AV_NOPTS_VALUE ? 0 : stream->start_time;
    return (double)(time - start) * av_q2d(stream->time_base);
}

MediaStatus media_read_frame(MediaReader *reader, int32_t width, int32_t height, uint8_t *pixels,
                             double *seconds, MediaFailure *failure)
{
    media_clear_log();
    int error = next_frame(reader);
    if (error == AVERROR_EOF)
        return MediaStatusEnd;
    if (error < 0)
        return media_fail_code(failure, error, "a frame is damaged");
    AVFrame *frame = reader->frame;
    const AVCodecParameters *expected = reader->format->streams[reader->stream]->codecpar;
    if (frame->width != expected->width || frame->height != expected->height)
        return media_fail(failure, "its frames change size, from %d by %d to %d by %d pixels",
                          expected->width, expected->height, frame->width, frame->height);
    struct SwsContext *scaler = scaler_for(reader, width, height);
    if (!scaler)
        return media_fail(failure, "its pixel format cannot be converted to RGB");
    *seconds = seconds_of(reader);
    uint8_t *planes[4] = {pixels};
    int strides[4] = {width * 3};
    sws_scale(scaler, (const uint8_t *const *)frame->data, frame->linesize, 0, frame->height,
              planes, strides);
    av_frame_unref(frame);
    return MediaStatusOK;
}

void media_close_reader(MediaReader *reader)
{
    if (!reader)
        return;
    sws_freeContext(reader->scaler);
    av_frame_free(&reader->frame);
    av_packet_free(&reader->packet);
    avcodec_free_context(&reader->decoder);
    avformat_close_input(&reader->format);
    av_free(reader);
}
