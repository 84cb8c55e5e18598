package blob

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// A file is chunks, then the trailer. All numbers are little endian.
//
//	chunk    4 bytes length of the zstd frame, then the frame of at most 128 KiB raw
//	trailer  4 bytes magic and version, 8 bytes raw size, 4 bytes CRC-32C of the two
//
// The frames carry no checksum of their own: the name of the file is the SHA-256 of all.
const (
	chunkSize   = 128 << 10
	lengthSize  = 4
	magic       = "wib1"
	trailerSize = len(magic) + 8 + 4
)

// smallSize is what most messages fit into. Those take a quarter of the memory of a chunk, which
// counts where ten of them are under way at once.
const smallSize = chunkSize / 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maxCoders is how many chunks are compressed at once; one more waits, for some 0.1 ms. Each takes 0.6
// MiB of memory once it was used.
const maxCoders = 4

// codec compresses and decompresses chunks. It may be used concurrently.
type codec struct {
	enc          *zstd.Encoder
	dec          *zstd.Decoder
	small, large sync.Pool
}

// buffers are the memory of one put or one open blob.
type buffers struct {
	raw    []byte // smallSize or chunkSize, and a little more that the decoder asks for
	stored []byte // the frame of that, and what stands around it
}

func newBuffers(size int) *buffers {
	return &buffers{
		raw:    make([]byte, size, size+size>>7),
		stored: make([]byte, 0, lengthSize+size+size>>7+trailerSize),
	}
}

func newCodec() (*codec, error) {
	coders := min(maxCoders, runtime.GOMAXPROCS(0))
	enc, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(coders),
		zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(chunkSize),
		zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(coders),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(chunkSize),
		zstd.WithDecoderMaxWindow(chunkSize))
	if err != nil {
		return nil, err
	}
	return &codec{enc: enc, dec: dec}, nil
}

func (c *codec) close() { c.dec.Close() }

// buffers returns the memory for chunks of at most size bytes; release takes it back.
func (c *codec) buffers(size int64) *buffers {
	pool, most := &c.large, chunkSize
	if size <= smallSize {
		pool, most = &c.small, smallSize
	}
	if b, ok := pool.Get().(*buffers); ok {
		return b
	}
	return newBuffers(most)
}

func (c *codec) release(b *buffers) {
	if len(b.raw) == smallSize {
		c.small.Put(b)
		return
	}
	c.large.Put(b)
}

// fill reads the next chunk of r into b. What does not fit into small buffers goes on in large ones,
// which it returns in their place.
func (c *codec) fill(r io.Reader, b *buffers) (*buffers, int, error) {
	n, err := fill(r, b.raw)
	if err != nil || len(b.raw) == chunkSize {
		return b, n, err
	}
	large := c.buffers(chunkSize)
	copy(large.raw, b.raw)
	c.release(b)
	more, err := fill(r, large.raw[n:])
	return large, n + more, err
}

// appendChunk appends raw as a chunk. Nothing gives no chunk.
func (c *codec) appendChunk(dst, raw []byte) []byte {
	if len(raw) == 0 {
		return dst
	}
	start := len(dst)
	dst = append(dst, make([]byte, lengthSize)...)
	dst = c.enc.EncodeAll(raw, dst)
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start-lengthSize))
	return dst
}

// readChunk reads the next chunk of at most left stored bytes from r. It returns the raw bytes, in
// the memory of b, and how many stored bytes they were.
func (c *codec) readChunk(r io.Reader, left int64, b *buffers) ([]byte, int64, error) {
	if left < lengthSize {
		return nil, 0, fmt.Errorf("%w: cut within a chunk", ErrDamaged)
	}
	head := b.stored[:lengthSize]
	if err := readAll(r, head); err != nil {
		return nil, 0, err
	}
	size := int64(binary.LittleEndian.Uint32(head))
	if size > left-lengthSize || size > int64(cap(b.stored)) {
		return nil, 0, fmt.Errorf("%w: chunk of %d bytes", ErrDamaged, size)
	}
	frame := b.stored[:size]
	if err := readAll(r, frame); err != nil {
		return nil, 0, err
	}
	raw, err := c.dec.DecodeAll(frame, b.raw[:0])
	if err != nil || len(raw) == 0 || len(raw) > chunkSize {
		return nil, 0, fmt.Errorf("%w: chunk does not decompress", ErrDamaged)
	}
	return raw, lengthSize + size, nil
}

// readAll fills b. A file that ends before was cut since its size was read.
func readAll(r io.Reader, b []byte) error {
	_, err := io.ReadFull(r, b)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: file ends too soon", ErrDamaged)
	}
	return err
}

func appendTrailer(dst []byte, rawSize int64) []byte {
	start := len(dst)
	dst = append(dst, magic...)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(rawSize))
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// readTrailer returns the raw size of the blob in f and how many bytes its chunks take.
func readTrailer(f *os.File) (rawSize, chunks int64, err error) {
	st, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	chunks = st.Size() - int64(trailerSize)
	if chunks < 0 {
		return 0, 0, fmt.Errorf("%w: %d bytes are no blob", ErrDamaged, st.Size())
	}
	var b [trailerSize]byte
	if _, err := f.ReadAt(b[:], chunks); err == io.EOF {
		return 0, 0, fmt.Errorf("%w: file ends too soon", ErrDamaged)
	} else if err != nil {
		return 0, 0, err
	}
	sumAt := trailerSize - 4
	if string(b[:len(magic)]) != magic ||
		crc32.Checksum(b[:sumAt], castagnoli) != binary.LittleEndian.Uint32(b[sumAt:]) {
		return 0, 0, fmt.Errorf("%w: no whole trailer", ErrDamaged)
	}
	return int64(binary.LittleEndian.Uint64(b[len(magic):])), chunks, nil
}
