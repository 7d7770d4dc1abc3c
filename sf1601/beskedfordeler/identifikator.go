package beskedfordeler

// Identifiers of message type, publisher and sensitivity. UUIDs are written in
// lower case; [Decode] folds what it reads.
// The Beskedtype and the actors appear in the filter texts of public
// integrations; the observed ones are from messages of the external test
// environment in 2023.
// [src: PKO-POSTSTATUS-CLIENTS Beskedtype, BeskedAnsvarligAktoer; PKO-POSTSTATUS-EXAMPLE]
const (
	// TypePKOPostStatus is the Beskedtype of every delivery status.
	TypePKOPostStatus = "d2bed63c-4853-4008-b6e0-a74c15b15fbf"

	// ActorDigitalPost is the BeskedAnsvarligAktoer of Digital Post.
	ActorDigitalPost = "96514e13-afdd-44d6-95a8-adc2ca19b127"
	// ActorStraalfors is the print supplier Strålfors.
	ActorStraalfors = "afd21f3d-11c7-4f51-b2a6-f31d6480a9fb"
	// ActorEdora is the print supplier Edora.
	ActorEdora = "ae5b9a93-c923-40d7-a41a-1eec18374e27"
	// ActorCharlieTango is the print supplier KMD Charlie Tango.
	ActorCharlieTango = "6b12182a-4268-4130-bd3e-159f8862c0a1"

	// SensitivityNone is the Sikkerhedsklassificering "Ikke fortrolige data".
	SensitivityNone = "1d81c472-0808-44cc-963d-f5ef0170ae1d"

	// ObservedSource is the Kildesystem and RegistreringsAktoer seen in test
	// messages of 2023. It may differ in production; nothing may depend on it.
	ObservedSource = "19dc3a1d-c629-4853-b566-7fe49cf674ce"
	// ObservedDistributor is the Fordelingssystem seen in test messages of 2023.
	ObservedDistributor = "f9fbbb38-4b2f-11e5-885d-feff819cdc9f"
	// ObservedObjectType is the ObjektType of the registered object, the
	// message, seen in test messages of 2023.
	ObservedObjectType = "9a7be69f-b736-4e0e-9d5b-78d4f43e7ad7"
	// ObservedRelatedType is the ObjektType of the related object seen in test
	// messages of 2023; that object's id names the sending user system.
	ObservedRelatedType = "91aa31b3-c4b3-499e-8689-93b1ef89f319"
)

// ObjektHandling values: what happened to the letter.
// Two public integrations list them independently and agree.
// [src: PKO-POSTSTATUS-CLIENTS ObjektHandling]
const (
	// HandlingFejlet is "Fejlet": any error in processing, for Digital Post
	// and for print.
	HandlingFejlet = "e225a75c-4b63-46c4-9423-77f5c8762445"
	// HandlingAfleveret is "Afleveret Digital Post": the final good status.
	HandlingAfleveret = "f7161a89-5068-4023-bc80-d7f4daad2a2e"
	// HandlingModtaget is "Modtaget Digital Post": Digital Post has the
	// message. Not final.
	HandlingModtaget = "eb866ca2-b871-4387-b501-12cde577bd58"
	// HandlingAfsendt is "Afsendt": created at the print supplier.
	HandlingAfsendt = "db5a6025-caa3-45c3-8e02-4e6fa8142ade"
	// HandlingFjernprintModtaget is "Modtaget Fjern-print".
	HandlingFjernprintModtaget = "dd98e71c-41ac-4305-a47b-8f86b00e639b"
	// HandlingKlar is "Klar": waiting for print.
	HandlingKlar = "e2b30d57-504a-4e2e-ae2d-a1394a9cb0b8"
	// HandlingTilPrint is "Afleveret til print og kuvertering".
	HandlingTilPrint = "e3c0a021-2070-40d4-b7b7-754aeba762e9"
	// HandlingPostDanmark is "Modtaget Post Danmark".
	HandlingPostDanmark = "e94a0a8b-60a0-42ad-8b83-52c9e15d0fb3"
	// HandlingTilbagekaldt is "Tilbagekaldt": recalled.
	HandlingTilbagekaldt = "f03904aa-df6e-417f-bd74-6a01a61adbcf"
	// HandlingOpdatering is "Opdatering fra Post Danmark": return mail, change
	// of address, proof of receipt or tracking number.
	HandlingOpdatering = "f4e6eb11-0261-4198-8b5d-be92a9b1a35d"
)
