package rfc822

// Limits bound what reading one message may cost. A field of zero means its default; negative
// values count as zero, because no part of reading is safe without a bound.
type Limits struct {
	// HeaderBytes is the most that is kept of one header section. Default 1 MB. Headers of inner
	// parts are kept to a sixteenth of it.
	HeaderBytes int
	// Depth is how many multiparts may be open inside each other. Default 50. What is nested
	// deeper is listed as one opaque part.
	Depth int
	// Parts is how many parts, multiparts included, are looked at. Default 1,000. The rest is
	// read past.
	Parts int
	// TextBytes is the most that is kept of the plain text and of the HTML, each, in bytes of
	// UTF-8. Default 4 MB.
	TextBytes int64
}

const (
	defaultHeaderBytes = 1 << 20
	defaultDepth       = 50
	defaultParts       = 1000
	defaultTextBytes   = 4 << 20
	// maxNameBytes bounds a file name, maxReportBytes what is kept of each part of a report.
	maxNameBytes   = 1024
	maxReportBytes = 64 << 10
	maxReportParts = 8
)

func (l Limits) withDefaults() Limits {
	if l.HeaderBytes <= 0 {
		l.HeaderBytes = defaultHeaderBytes
	}
	if l.Depth <= 0 {
		l.Depth = defaultDepth
	}
	if l.Parts <= 0 {
		l.Parts = defaultParts
	}
	if l.TextBytes <= 0 {
		l.TextBytes = defaultTextBytes
	}
	return l
}

// Damage names one kind of thing that had to be salvaged. The values are stable text, fit for
// counting; they hold nothing of the message.
type Damage string

const (
	DamageHeaderLine Damage = "header_line" // a header line that is no field was left out
	DamageHeaderCut  Damage = "header_cut"  // a header section was longer than the limit
	DamageNoHeader   Damage = "no_header"   // the message has no header field at all
	DamageCharset    Damage = "charset"     // text in an unknown or wrong charset was guessed
	DamageEncoding   Damage = "encoding"    // unknown transfer encoding, or broken base64 and the like
	DamageBoundary   Damage = "boundary"    // a multipart without a boundary, or one that never occurs
	DamageTruncated  Damage = "truncated"   // the message ends inside a multipart
	DamageDepth      Damage = "depth"       // nested deeper than the limit
	DamageParts      Damage = "parts"       // more parts than the limit
	DamageTextCut    Damage = "text_cut"    // text longer than the limit
)

// damages is a small set in order of first sight.
type damages []Damage

func (d *damages) add(x Damage) {
	for _, have := range *d {
		if have == x {
			return
		}
	}
	*d = append(*d, x)
}
