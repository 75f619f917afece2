#pragma once
// Annotations of pods that decisions read or write.

#include <string_view>

namespace smw::checkpoint_restore {

/// Set by a kubelet on the mirror of a static pod.
inline constexpr std::string_view kMirrorPodAnnotation = "kubernetes.io/config.mirror";
/// "true": the author of the pod wants its images as they are.
inline constexpr std::string_view kSkipRestoreAnnotation = "migration.dcnlab.com/skip-restore";
/// On a dry-run pod: asks the webhook to prove that it answers.
inline constexpr std::string_view kSelfTestAnnotation = "migration.dcnlab.com/self-test";
/// Written with --annotate-restored: the name of the CheckpointBackup.
inline constexpr std::string_view kRestoredFromAnnotation = "migration.dcnlab.com/restored-from";

}  // namespace smw::checkpoint_restore
