/* SPDX-License-Identifier: MIT */
#ifndef TORC_TORC_H
#define TORC_TORC_H

/**
 * All of Torc's public headers, but for <torc/testing.h>.
 */

#include <torc/accept.h>
#include <torc/access_log.h>
#include <torc/addr.h>
#include <torc/app.h>
#include <torc/arena.h>
#include <torc/backoff.h>
#include <torc/base64.h>
#include <torc/body.h>
#include <torc/bucket.h>
#include <torc/buf.h>
#include <torc/certificate.h>
#include <torc/cidr.h>
#include <torc/client_service.h>
#include <torc/conditional.h>
#include <torc/connect.h>
#include <torc/cron.h>
#include <torc/date.h>
#include <torc/deferred.h>
#include <torc/digest.h>
#include <torc/endpoint.h>
#include <torc/endpoint_prefix.h>
#include <torc/err.h>
#include <torc/failure.h>
#include <torc/fiber.h>
#include <torc/fields.h>
#include <torc/file.h>
#include <torc/filter.h>
#include <torc/head.h>
#include <torc/json.h>
#include <torc/limits.h>
#include <torc/link.h>
#include <torc/link_info.h>
#include <torc/listen.h>
#include <torc/log.h>
#include <torc/log_file.h>
#include <torc/log_ring.h>
#include <torc/log_writer.h>
#include <torc/looping_call.h>
#include <torc/media_types.h>
#include <torc/memory.h>
#include <torc/method.h>
#include <torc/metrics.h>
#include <torc/names.h>
#include <torc/observer.h>
#include <torc/policy.h>
#include <torc/process.h>
#include <torc/process_monitor.h>
#include <torc/producer.h>
#include <torc/promise.h>
#include <torc/protocol.h>
#include <torc/proxy_header.h>
#include <torc/random.h>
#include <torc/range.h>
#include <torc/reactor.h>
#include <torc/reply.h>
#include <torc/representation.h>
#include <torc/request.h>
#include <torc/resource.h>
#include <torc/schedule.h>
#include <torc/signal.h>
#include <torc/signer.h>
#include <torc/site.h>
#include <torc/spawn.h>
#include <torc/static_files.h>
#include <torc/status.h>
#include <torc/stdio.h>
#include <torc/str.h>
#include <torc/target.h>
#include <torc/thread.h>
#include <torc/ticket.h>
#include <torc/timer.h>
#include <torc/tls.h>
#include <torc/transport.h>
#include <torc/types.h>
#include <torc/upgrade.h>
#include <torc/utf8.h>
#include <torc/version.h>
#include <torc/zone.h>

#endif
