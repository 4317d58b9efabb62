// Luma and chroma planes to RGB and back, in integers.
//
// Reading repeats the arithmetic of the format's own reference decoder, so that a JPEG or a WebP
// gives the numbers that it gives everywhere else; swscale interpolates and rounds differently.
// Sources: libjpeg's triangle upsampling and YCbCr tables; WebP's upsampling and VP8 conversion.

#include <string.h>

#include "internal.h"

static inline uint8_t clamp(int value)
{
    return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value;
}

typedef struct Plane {
    const uint8_t *bytes;
    ptrdiff_t stride;
    int width, height;
} Plane;

static const uint8_t *row_of(const Plane *plane, int row)
{
    if (row < 0)
        row = 0;
    if (row >= plane->height)
        row = plane->height - 1;
    return plane->bytes + row * plane->stride;
}

// MARK: JPEG

static void jpeg_row_h2v2(const Plane *plane, int row, uint8_t *out, int width)
{
    const uint8_t *near = row_of(plane, row / 2);
    const uint8_t *far = row_of(plane, row % 2 ? row / 2 + 1 : row / 2 - 1);
    for (int x = 0; x < width; x++) {
        int column = x / 2, here = near[column] * 3 + far[column];
        int beside = x % 2 ? column + 1 : column - 1;
        int bias = x % 2 ? 7 : 8;
        if (beside < 0 || beside >= plane->width)
            out[x] = (uint8_t)((here * 4 + bias) >> 4);
        else
            out[x] = (uint8_t)((here * 3 + near[beside] * 3 + far[beside] + bias) >> 4);
    }
}

static void jpeg_row_h2v1(const Plane *plane, int row, uint8_t *out, int width)
{
    const uint8_t *near = row_of(plane, row);
    for (int x = 0; x < width; x++) {
        int column = x / 2, beside = x % 2 ? column + 1 : column - 1;
        if (beside < 0 || beside >= plane->width)
            out[x] = near[column];
        else
            out[x] = (uint8_t)((near[column] * 3 + near[beside] + (x % 2 ? 2 : 1)) >> 2);
    }
}

static void jpeg_row_h1v2(const Plane *plane, int row, uint8_t *out, int width)
{
    const uint8_t *near = row_of(plane, row / 2);
    const uint8_t *far = row_of(plane, row % 2 ? row / 2 + 1 : row / 2 - 1);
    for (int x = 0; x < width; x++)
        out[x] = (uint8_t)((near[x] * 3 + far[x] + (row % 2 ? 2 : 1)) >> 2);
}

static void jpeg_chroma_row(const Plane *plane, int shiftX, int shiftY, int row, uint8_t *out,
                            int width)
{
    if (shiftX && plane->width <= 2) { // libjpeg repeats samples where it has no neighbours.
        const uint8_t *near = row_of(plane, row >> shiftY);
        for (int x = 0; x < width; x++)
            out[x] = near[x / 2];
    } else if (shiftX && shiftY) {
        jpeg_row_h2v2(plane, row, out, width);
    } else if (shiftX) {
        jpeg_row_h2v1(plane, row, out, width);
    } else if (shiftY) {
        jpeg_row_h1v2(plane, row, out, width);
    } else {
        memcpy(out, row_of(plane, row), (size_t)width);
    }
}

/// Paper under inverted inks, with Pillow's rounding.
static inline uint8_t printed(int ink, int invertedBlack)
{
    int product = ink * invertedBlack + 128;
    return clamp(invertedBlack - (((product >> 8) + product) >> 8));
}

static void print_inks(const uint8_t *black, uint8_t *rgb, int width)
{
    for (int x = 0; x < width; x++, rgb += 3)
        for (int c = 0; c < 3; c++)
            rgb[c] = printed(rgb[c], black[x]);
}

static void cmyk_inks(const uint8_t *c, const uint8_t *m, const uint8_t *y, uint8_t *rgb, int width)
{
    for (int x = 0; x < width; x++, rgb += 3) {
        rgb[0] = 255 - c[x];
        rgb[1] = 255 - m[x];
        rgb[2] = 255 - y[x];
    }
}

static void jpeg_pixels(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, uint8_t *rgb,
                        int width)
{
    for (int x = 0; x < width; x++, rgb += 3) {
        int b = cb[x] - 128, r = cr[x] - 128;
        rgb[0] = clamp(y[x] + ((91881 * r + 32768) >> 16));
        rgb[1] = clamp(y[x] + ((-22554 * b - 46802 * r + 32768) >> 16));
        rgb[2] = clamp(y[x] + ((116130 * b + 32768) >> 16));
    }
}

// MARK: WebP

static void webp_chroma_row(const Plane *plane, int row, uint8_t *out, int width)
{
    const uint8_t *near = row_of(plane, row / 2);
    const uint8_t *far = row_of(plane, row % 2 ? row / 2 + 1 : row / 2 - 1);
    for (int x = 0; x < width; x++) {
        int column = x / 2, beside = x % 2 ? column + 1 : column - 1;
        if (beside < 0 || beside >= plane->width) {
            out[x] = (uint8_t)((3 * near[column] + far[column] + 2) >> 2);
            continue;
        }
        int a = near[column], b = near[beside], c = far[column], d = far[beside];
        int diagonal = (a + b + c + d + 8 + 2 * (b + c)) >> 3;
        out[x] = (uint8_t)((diagonal + a) >> 1);
    }
}

static void webp_pixels(const uint8_t *y, const uint8_t *u, const uint8_t *v, uint8_t *rgb,
                        int width)
{
    for (int x = 0; x < width; x++, rgb += 3) {
        int luma = (y[x] * 19077) >> 8;
        rgb[0] = clamp((luma + ((v[x] * 26149) >> 8) - 14234) >> 6);
        rgb[1] = clamp((luma - ((u[x] * 6419) >> 8) - ((v[x] * 13320) >> 8) + 8708) >> 6);
        rgb[2] = clamp((luma + ((u[x] * 33050) >> 8) - 17685) >> 6);
    }
}

MediaStatus media_planes_to_rgb(const AVFrame *frame, Planes kind, uint8_t *rgb,
                                MediaFailure *failure)
{
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(frame->format);
    int width = frame->width, height = frame->height;
    int shiftX = format->log2_chroma_w, shiftY = format->log2_chroma_h;
    uint8_t *chroma = av_malloc((size_t)width * 2);
    if (!chroma)
        return media_fail(failure, "there is no memory left for one row of pixels");
    Plane planes[2];
    for (int i = 0; i < 2; i++)
        planes[i] = (Plane){frame->data[1 + i], frame->linesize[1 + i],
                            AV_CEIL_RSHIFT(width, shiftX), AV_CEIL_RSHIFT(height, shiftY)};
    for (int row = 0; row < height; row++) {
        const uint8_t *luma = frame->data[0] + (ptrdiff_t)row * frame->linesize[0];
        uint8_t *out = rgb + (size_t)row * width * 3;
        for (int i = 0; i < 2; i++) {
            if (kind == PlanesWebP)
                webp_chroma_row(&planes[i], row, chroma + (size_t)i * width, width);
            else
                jpeg_chroma_row(&planes[i], shiftX, shiftY, row, chroma + (size_t)i * width, width);
        }
        (kind == PlanesWebP ? webp_pixels : kind == PlanesCMYK ? cmyk_inks : jpeg_pixels)(
            luma, chroma, chroma + width, out, width);
        if (kind == PlanesCMYK || kind == PlanesYCCK)
            print_inks(frame->data[3] + (ptrdiff_t)row * frame->linesize[3], out, width);
    }
    av_free(chroma);
    return MediaStatusOK;
}

// MARK: BT.709

// 16-bit fixed point of 219/255 and 224/255 times the BT.709 matrix; the chroma rows add up to
// zero, so that grey stays exactly grey.
enum {
    lumaR = 11966, lumaG = 40254, lumaB = 4064,
    cbR = -6596, cbG = -22189, cbB = 28785,
    crR = 28785, crG = -26145, crB = -2640,
};

static void luma_rows(const uint8_t *rgb, AVFrame *frame)
{
    for (int row = 0; row < frame->height; row++) {
        const uint8_t *in = rgb + (size_t)row * frame->width * 3;
        uint8_t *out = frame->data[0] + (ptrdiff_t)row * frame->linesize[0];
        for (int x = 0; x < frame->width; x++, in += 3)
            out[x] = (uint8_t)(16 + ((lumaR * in[0] + lumaG * in[1] + lumaB * in[2] + 32768) >> 16));
    }
}

void media_rgb_to_bt709(const uint8_t *rgb, AVFrame *frame)
{
    luma_rows(rgb, frame);
    int width = frame->width;
    for (int row = 0; row < frame->height / 2; row++) {
        const uint8_t *top = rgb + (size_t)row * 2 * width * 3, *bottom = top + (size_t)width * 3;
        uint8_t *cb = frame->data[1] + (ptrdiff_t)row * frame->linesize[1];
        uint8_t *cr = frame->data[2] + (ptrdiff_t)row * frame->linesize[2];
        for (int x = 0; x < width / 2; x++) {
            // Sited left: the even column counts twice, its two neighbours once.
            int middle = x * 6, left = x ? middle - 3 : middle, right = middle + 3, sum[3];
            for (int c = 0; c < 3; c++)
                sum[c] = top[left + c] + 2 * top[middle + c] + top[right + c] + bottom[left + c]
                    + 2 * bottom[middle + c] + bottom[right + c];
            cb[x] = clamp(128 + ((cbR * sum[0] + cbG * sum[1] + cbB * sum[2] + (1 << 18)) >> 19));
            cr[x] = clamp(128 + ((crR * sum[0] + crG * sum[1] + crB * sum[2] + (1 << 18)) >> 19));
        }
    }
}
