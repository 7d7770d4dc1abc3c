package window

import (
	"slices"
	"time"
)

// lastStoreBededag is the last year in which store bededag was a public holiday.
const lastStoreBededag = 2023

// Holidays returns the public holidays of Denmark in a year, in order, each as 00:00 UTC of its date: nytårsdag,
// skærtorsdag, langfredag, påskedag, 2. påskedag, store bededag until and including 2023, Kristi himmelfartsdag,
// pinsedag, 2. pinsedag, juledag, 2. juledag.
//
// Grundlovsdag (5 June) and juleaftensdag (24 December) are not among them: shops are closed and many have the day off,
// but they are not statutory public holidays. The same goes for 1 May and nytårsaftensdag (31 December).
//
// Source: the holidays of folkekirken, which are the public ones in Denmark; store bededag was abolished from 2024 by
// "Lov om konsekvenser ved afskaffelsen af store bededag som helligdag" of 2023. Years before 1900 are not history:
// they get today's rules and the Gregorian Easter.
func Holidays(year int) []time.Time {
	days, n := holidays(year)
	dates := make([]time.Time, n)
	for i, day := range days[:n] {
		dates[i] = time.Unix(day*dayLength, 0).UTC()
	}
	return dates
}

// isHoliday tells whether a day, counted from 1 January 1970, is a public holiday.
func isHoliday(day int64) bool {
	days, n := holidays(time.Unix(day*dayLength, 0).UTC().Year())
	return slices.Contains(days[:n], day)
}

// holidays gives the public holidays of a year, as days counted from 1 January 1970, and how many they are.
func holidays(year int) ([11]int64, int) {
	var days [11]int64
	n := 0
	add := func(day int64) { days[n] = day; n++ }
	easter := dayOf(easterSunday(year))
	add(dayOf(year, time.January, 1))
	add(easter - 3) // skærtorsdag
	add(easter - 2) // langfredag
	add(easter)     // påskedag
	add(easter + 1) // 2. påskedag
	if year <= lastStoreBededag {
		add(easter + 26) // store bededag, the fourth Friday after Easter
	}
	add(easter + 39) // Kristi himmelfartsdag
	add(easter + 49) // pinsedag
	add(easter + 50) // 2. pinsedag
	add(dayOf(year, time.December, 25))
	add(dayOf(year, time.December, 26))
	return days, n
}

func dayOf(year int, month time.Month, day int) int64 {
	return floorDiv(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix(), dayLength)
}

// easterSunday is the date of påskedag in the Gregorian calendar, by the anonymous algorithm in Jean Meeus,
// "Astronomical Algorithms", chapter 8, whose letters it keeps.
func easterSunday(year int) (int, time.Month, int) {
	a := year % 19
	b, c := year/100, year%100
	d, e := b/4, b%4
	f := (b + 8) / 25
	g := (b - f + 1) / 3
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return year, time.Month(n / 31), n%31 + 1
}
