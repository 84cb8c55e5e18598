package mailgen

import (
	"math/rand/v2"
	"strings"
)

var people = strings.Split("Anna Becker,Bruno Costa,Clara Dunn,David Evans,Elif Demir,Franz Müller,"+
	"Grace Hill,Hugo Ivarsson,Iris Jansen,Jonas Krüger,Katja Lind,Liam Moore,Maya Nowak,"+
	"Nils Olsen,Oriol Puig,Petra Quint,Rosa Silva,Søren Thorup,Tess Unger,Uwe Vogel,Vera Wolff,"+
	"Willem Yates,Ximena Zapata,Yusuf Adan", ",")

var vocabulary = strings.Fields(`the to and of a in for is we you on it with that this be are have
will as at from our your not can if by or but would please project time week meeting team work
thanks need new know send date about there just any all update has been they what was next review
file could one so see call which more also make let page design plan like when after before
budget today tomorrow monday tuesday friday client contract invoice draft change changes report
version question questions attached schedule order delivery issue change launch website content
draft feedback final copy customer approve approval sign latest numbers quarter month price offer
quote cost hours estimate scope brief campaign brand image logo print layout header footer banner
mobile desktop server domain hosting release test testing bug fix problem support access account
password user login data table list search export import document folder shared drive link video
photo text translation english german spanish french office room travel flight hotel train dinner
lunch workshop training agenda minutes notes action item owner deadline late early ready done
waiting blocked risk legal terms privacy policy security audit tax finance payment paid due
reminder refund credit purchase supplier vendor stock warehouse shipping address phone number
contact person manager director assistant partner agency studio freelancer colleague hire
interview candidate offer holiday sick leave start end begin finish open close move cancel confirm
agree discuss decide explain describe check compare measure improve reduce increase keep remove
add replace install configure deploy monitor restore backup archive happy sorry glad great good
better best small large quick slow simple complex important urgent possible likely certain clear
different same second third several many few each every other another between during without
within because however therefore although until since while where whether maybe perhaps really
already still again soon later often never always only even much very too quite rather almost`)

var subjects = []string{"Homepage draft", "Invoice for", "Kick-off meeting", "Contract renewal",
	"Question about the offer", "Launch plan", "Feedback on version", "Access to the server",
	"Travel to Lisbon", "Budget for", "Print files", "Weekly report", "Change request",
	"Delivery date", "Photos from the workshop", "Support for", "Übersetzung der Startseite"}

var products = []string{"northstar.example", "dailybrief.example", "cloudtools.example",
	"shopnews.example", "ticketing.example", "calendar.example"}

// text makes sentences of about n bytes, in paragraphs, no line longer than 76 bytes.
func text(r *rand.Rand, n int) string {
	var b strings.Builder
	b.Grow(n + 128)
	for column, left := 0, 0; b.Len() < n; left-- {
		w := word(r)
		if left == 0 {
			w = strings.ToUpper(w[:1]) + w[1:]
			left = 5 + r.IntN(12)
		}
		if left == 1 {
			w += "."
		}
		switch {
		case left == 1 && r.IntN(5) == 0:
			b.WriteString(" " + w + "\n\n")
			column = 0
			continue
		case column+1+len(w) > 76:
			b.WriteByte('\n')
			column = 0
		case column > 0:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(w)
		column += len(w)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// word favours the first words of the vocabulary, as language does.
func word(r *rand.Rand) string {
	f := r.Float64()
	return vocabulary[int(f*f*float64(len(vocabulary)))]
}

// address makes the address of a person at a domain.
func address(name, domain string) string {
	local := strings.NewReplacer("ü", "ue", "ø", "o", " ", ".").Replace(strings.ToLower(name))
	return local + "@" + domain
}
