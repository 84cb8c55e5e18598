// Package rfc822 reads and builds internet mail; it is the only MIME code of this library. Reading
// never refuses: mail as it comes in life breaks every rule of its RFCs, and one bad message must
// not stop an import. What had to be salvaged is listed in Message.Damage.
//
//  1. Parse and ReadHeader fail only when their reader fails.
//  2. Every string they hand out is valid UTF-8 without NUL, so that any database takes it.
//  3. Memory and time are bounded by Limits, whatever the message claims about itself. Attachments
//     are decoded as a stream and never held.
//  4. The same bytes always give the same result.
//  5. Nothing is executed, loaded or looked up: no link, no calendar, no certificate.
//
// Mail is built on github.com/emersion/go-message: its header, its multipart writer, its media
// types. Folding, encoded words and file names are our own, because go-message writes up to 998
// octets on a line with encoded words (RFC 2047 allows 76) and an encoded word for a file name.
//
// Reading is our own. go-message ends at a header line that is no field, at a missing boundary, at
// the first byte that is not base64 and at a line of 4 KB of quoted-printable, and twice the nesting
// takes it four times as long, seconds for 5,000 levels in 288 KB, where the walker, which reads
// each line once, takes milliseconds. Nor do its parts serve inside it: to repair a section is to
// find its fields, so that nothing is left to parse; its decoders of encoded words and transfer
// encodings give up what they should salvage; and its charset readers read worse at more than ten
// times the cost (see encodings). The tests whose names begin with TestGoMessage hold these facts:
// where one fails because it has learned, it can replace our code.
//
// Sources: RFC 5322 and 6532 (header), 2045 to 2047 and 2231 (MIME), 3676 (flowed text), 3464, 6522
// and 6533 (delivery reports), 5965 (complaints), 8098 (receipts), 3834 (automatic answers).
// Functions and values of this package may be used concurrently.
package rfc822
