package sf1606test

import "github.com/brevdue/brevdue/sf1601/memo"

// subject is what a citizen writes about.
type subject struct{ label, kle string }

// subjects with KLE numbers where post of the kind is marked so.
var subjects = []subject{
	{"Spørgsmål om børnepasning", "28.09.00"},
	{"Ansøgning om byggetilladelse", "02.34.02"},
	{"Klage over rottebekæmpelse", "09.06.02"},
	{"Flytning til ny adresse", ""},
	{"Ændring af tid til jobsamtale", "15.20.00"},
	{"Dokumentation til min sag", ""},
	{"Hjemmehjælp til min far", "27.36.00"},
	{"Aktindsigt", ""},
	{"Regning for ejendomsskat", "25.03.00"},
	{"Sygemelding", "32.30.00"},
}

// persons are CPR numbers of Digital Post's and CPR's published test persons, and ones that nobody can have.
var persons = []string{"2512489996", "2211771212", "0101019990", "0107729995", "1502779995"}

var names = []string{
	"Nancy Ann Berggren", "Åse Ærø", "Mads Østergård", "Signe Testesen", "Familien Prøve",
}

// contactPoints are those of an authority that gave none.
func contactPoints() []memo.ContactPoint {
	return []memo.ContactPoint{
		{ContactGroup: "22.33.44.55", ContactPointID: "241d39f6-998e-4929-b198-ccacbbf4b330", Label: "Jobcenter"},
		{
			ContactGroup: "22.33.44.55", ContactPointID: "7c1b6d0e-3f25-4a8f-9d57-0f4c2b1a9e63", Label: "Borgerservice",
			ContactInfo: []memo.ContactInfo{{Label: "Afdeling", Value: "Borgerservice"}},
		},
		{ContactGroup: "22.33.44.66", ContactPointID: "f0a3a9a5-51b1-4b44-8a3e-5d2d5c6e7f80", Label: "Teknik og Miljø"},
	}
}
