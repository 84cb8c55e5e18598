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
// Sources: RFC 5322 and 6532 (header), 2045 to 2047 and 2231 (MIME), 3676 (flowed text), 3464, 6522
// and 6533 (delivery reports), 5965 (complaints), 8098 (receipts), 3834 (automatic answers).
// Functions and values of this package may be used concurrently.
package rfc822
