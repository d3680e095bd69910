/* SPDX-License-Identifier: MIT */
#include "stats.h"

#include <sys/resource.h>
#include <time.h>

uint64_t
stats_clock(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Microseconds to a class: below 64 each has its own, above 64 per octave. */
static unsigned
class_of(uint64_t us)
{
	unsigned octave = 0;
	while (us >= 128) {
		us >>= 1;
		octave++;
	}
	unsigned class = octave * 64 + (unsigned)us;
	return class < STATS_CLASSES ? class : STATS_CLASSES - 1;
}

/* The upper end of a class in microseconds. */
static uint64_t
value_of(unsigned class)
{
	if (class < 128)
		return class;
	unsigned octave = class / 64 - 1;
	return ((uint64_t)(class - octave * 64 + 1) << octave) - 1;
}

void
stats_message(struct stats *st, uint64_t begun, uint64_t now)
{
	uint64_t latency = now - begun;
	st->messages++;
	st->ended = now;
	st->latency[class_of(latency / 1000)]++;
	if (latency > st->max_latency)
		st->max_latency = latency;
}

void
stats_unexpected(struct stats *st, const char *step, const char *text)
{
	if (st->unexpected++ == 0)
		snprintf(st->first_error, sizeof(st->first_error), "%s: %s",
		    step, text);
}

uint64_t
stats_percentile(const struct stats *st, double fraction)
{
	uint64_t wanted = (uint64_t)(fraction * (double)st->messages);
	uint64_t seen = 0;
	for (unsigned i = 0; i < STATS_CLASSES; i++) {
		seen += st->latency[i];
		if (seen > wanted) {
			uint64_t ns = value_of(i) * 1000;
			return ns < st->max_latency ? ns : st->max_latency;
		}
	}
	return st->max_latency;
}

static double
own_cpu_us(void)
{
	struct rusage ru;
	getrusage(RUSAGE_SELF, &ru);
	return (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1e6 +
	    (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec);
}

/* TEXT came from the server: keep what a JSON string may hold as it is. */
static void
print_json_text(const char *text, FILE *file)
{
	putc('"', file);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			putc('\\', file);
		putc(c >= 0x20 && c < 0x7f ? c : '?', file);
	}
	putc('"', file);
}

static void
print_json(const struct stats *st, double seconds, double rate, FILE *file)
{
	fprintf(file,
	    "{\"messages\": %llu, \"seconds\": %.6f, \"rate\": %.1f, "
	    "\"p50_us\": %llu, \"p90_us\": %llu, \"p99_us\": %llu, "
	    "\"max_us\": %llu, \"connections\": %llu, \"closed_421\": %llu, "
	    "\"unexpected\": %llu, \"pipelined\": %s, \"chunked\": %s, "
	    "\"client_us\": %.1f, \"first_error\": ",
	    (unsigned long long)st->messages, seconds, rate,
	    (unsigned long long)stats_percentile(st, 0.5) / 1000,
	    (unsigned long long)stats_percentile(st, 0.9) / 1000,
	    (unsigned long long)stats_percentile(st, 0.99) / 1000,
	    (unsigned long long)st->max_latency / 1000,
	    (unsigned long long)st->connections,
	    (unsigned long long)st->closed_421,
	    (unsigned long long)st->unexpected,
	    st->pipelined ? "true" : "false", st->chunked ? "true" : "false",
	    st->messages > 0 ? own_cpu_us() / (double)st->messages : 0);
	print_json_text(st->first_error, file);
	fputs("}\n", file);
}

static void
print_text(const struct stats *st, double seconds, double rate, FILE *file)
{
	fprintf(file,
	    "messages     %llu in %.3f s, %.0f a second%s\n"
	    "latency ms   p50 %.3f  p90 %.3f  p99 %.3f  max %.3f\n"
	    "connections  %llu, %llu closed by 421\n"
	    "unexpected   %llu%s%s\n",
	    (unsigned long long)st->messages, seconds, rate,
	    st->pipelined ? ", pipelined" : "",
	    (double)stats_percentile(st, 0.5) / 1e6,
	    (double)stats_percentile(st, 0.9) / 1e6,
	    (double)stats_percentile(st, 0.99) / 1e6,
	    (double)st->max_latency / 1e6, (unsigned long long)st->connections,
	    (unsigned long long)st->closed_421,
	    (unsigned long long)st->unexpected,
	    st->unexpected > 0 ? ", the first at " : "", st->first_error);
}

void
stats_print(const struct stats *st, bool json, FILE *file)
{
	double seconds = 0;
	if (st->ended > st->begun)
		seconds = (double)(st->ended - st->begun) / 1e9;
	double rate = seconds > 0 ? (double)st->messages / seconds : 0;
	if (json)
		print_json(st, seconds, rate, file);
	else
		print_text(st, seconds, rate, file);
}
