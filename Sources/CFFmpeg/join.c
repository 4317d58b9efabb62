// Closed H.264 segments one after another in one MP4, packet by packet.

#include <stdio.h>
#include <string.h>

#include "internal.h"

typedef struct Joining {
    AVFormatContext *output;
    AVStream *stream;
    AVRational frameTime;
    int64_t frames;
} Joining;

static int begin(Joining *joining, const AVStream *first, const char *path, const char *comment)
{
    int error = avformat_alloc_output_context2(&joining->output, NULL, "mp4", path);
    if (error < 0)
        return error;
    joining->stream = avformat_new_stream(joining->output, NULL);
    if (!joining->stream)
        return AVERROR(ENOMEM);
    error = avcodec_parameters_copy(joining->stream->codecpar, first->codecpar);
    if (error < 0)
        return error;
    joining->stream->codecpar->codec_tag = 0;
    joining->stream->avg_frame_rate = first->avg_frame_rate;
    joining->frameTime = av_inv_q(first->avg_frame_rate);
    joining->stream->time_base = joining->frameTime;
    joining->output->flags |= AVFMT_FLAG_BITEXACT;
    if (comment)
        av_dict_set(&joining->output->metadata, "comment", comment, 0);
    char *url = media_url(path);
    error = url ? avio_open(&joining->output->pb, url, AVIO_FLAG_WRITE) : AVERROR(ENOMEM);
    av_free(url);
    if (error < 0)
        return error;
    AVDictionary *options = NULL;
    av_dict_set(&options, "movflags", "+faststart+write_colr", 0);
    error = avformat_write_header(joining->output, &options);
    av_dict_free(&options);
    return error;
}

static int same_stream(const AVCodecParameters *a, const AVCodecParameters *b)
{
    return a->codec_id == b->codec_id && a->width == b->width && a->height == b->height
        && a->extradata_size == b->extradata_size
        && !memcmp(a->extradata, b->extradata, (size_t)a->extradata_size);
}

/// Numbers the packets on from where the last segment ended; there are no B-frames to reorder.
static int copy_packets(Joining *joining, AVFormatContext *input, AVPacket *packet)
{
    int error;
    while ((error = av_read_frame(input, packet)) >= 0) {
        packet->pts = packet->dts = joining->frames++;
        packet->duration = 1;
        packet->stream_index = 0;
        packet->pos = -1;
        av_packet_rescale_ts(packet, joining->frameTime, joining->stream->time_base);
        error = av_interleaved_write_frame(joining->output, packet);
        av_packet_unref(packet);
        if (error >= 0)
            error = joining->output->pb->error;
        if (error < 0)
            return error;
    }
    return error == AVERROR_EOF ? 0 : error;
}

static MediaStatus append(Joining *joining, const char *path, const char *output,
                          const char *comment, AVPacket *packet, MediaFailure *failure)
{
    AVFormatContext *input = NULL;
    AVDictionary *options = NULL;
    av_dict_set(&options, "protocol_whitelist", "file", 0);
    av_dict_set(&options, "format_whitelist", "mov", 0);
    char *url = media_url(path);
    int error = url ? avformat_open_input(&input, url, NULL, &options) : AVERROR(ENOMEM);
    av_free(url);
    av_dict_free(&options);
    char attempt[300];
    snprintf(attempt, sizeof attempt, "the segment %.260s could not be read", path);
    MediaStatus status = MediaStatusOK;
    if (error >= 0)
        error = avformat_find_stream_info(input, NULL);
    if (error < 0) {
        status = media_fail_code(failure, error, attempt);
    } else if (input->nb_streams != 1 || input->streams[0]->codecpar->codec_id != AV_CODEC_ID_H264
               || input->streams[0]->codecpar->video_delay > 0
               || input->streams[0]->avg_frame_rate.num == 0) {
        status = media_fail(failure, "%.260s is not a segment of ours: one H.264 stream "
                                     "without B-frames is wanted", path);
    } else if (!joining->output) {
        error = begin(joining, input->streams[0], output, comment);
        if (error < 0)
            status = media_fail_code(failure, error, "it could not be begun");
    } else if (!same_stream(joining->stream->codecpar, input->streams[0]->codecpar)) {
        status = media_fail(failure, "the segment %.260s was encoded with another size or other "
                                     "settings than the first one", path);
    }
    if (status == MediaStatusOK) {
        error = copy_packets(joining, input, packet);
        if (error < 0)
            status = media_fail_code(failure, error, "its packets could not be copied");
    }
    avformat_close_input(&input);
    return status;
}

static MediaStatus finish(Joining *joining, MediaFailure *failure)
{
    int error = av_write_trailer(joining->output);
    if (error >= 0)
        error = joining->output->pb->error;
    int closing = avio_closep(&joining->output->pb);
    if (error >= 0)
        error = closing;
    return error < 0 ? media_fail_code(failure, error, "it could not be completed")
                     : MediaStatusOK;
}

MediaStatus media_join(const char *const *paths, int32_t count, const char *output,
                       const char *comment, MediaFailure *failure)
{
    media_clear_log();
    Joining joining = {0};
    AVPacket *packet = av_packet_alloc();
    MediaStatus status =
        packet ? MediaStatusOK : media_fail(failure, "there is no memory left to join segments");
    for (int32_t i = 0; i < count && status == MediaStatusOK; i++)
        status = append(&joining, paths[i], output, comment, packet, failure);
    if (status == MediaStatusOK)
        status = finish(&joining, failure);
    av_packet_free(&packet);
    if (joining.output) {
        avio_closep(&joining.output->pb);
        avformat_free_context(joining.output);
    }
    return status;
}
