/*
 * The commands of identityctl. Each gets argv[0] as its own full name and
 * parses its options; each returns the exit code.
 */
#ifndef CTL_COMMANDS_H
#define CTL_COMMANDS_H

/* The exit codes are part of the interface: scripts test them. */
enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED = 1,      /* it did not work, or the answer says that something is wrong */
	CTL_USAGE = 2,       /* the command line is wrong; nothing was done */
	CTL_UNREACHABLE = 3, /* no daemon answers on the socket */
};

#define CTL_DEFAULT_SOCKET "/run/identityd/admin.sock"

enum ctl_exit ctl_status(int argc, char **argv);
enum ctl_exit ctl_metrics(int argc, char **argv);
enum ctl_exit ctl_top(int argc, char **argv);
enum ctl_exit ctl_tail(int argc, char **argv);
enum ctl_exit ctl_trace(int argc, char **argv);
enum ctl_exit ctl_identity_list(int argc, char **argv);
enum ctl_exit ctl_identity_show(int argc, char **argv);
enum ctl_exit ctl_flow_list(int argc, char **argv);
enum ctl_exit ctl_provider_list(int argc, char **argv);
enum ctl_exit ctl_policy_test(int argc, char **argv);
enum ctl_exit ctl_reload(int argc, char **argv);
enum ctl_exit ctl_drain(int argc, char **argv);
enum ctl_exit ctl_log_level(int argc, char **argv);
enum ctl_exit ctl_observe(int argc, char **argv);
enum ctl_exit ctl_completion(int argc, char **argv);
enum ctl_exit ctl_token_decode(int argc, char **argv);
enum ctl_exit ctl_role_test(int argc, char **argv);
enum ctl_exit ctl_assertion_jwks(int argc, char **argv);
enum ctl_exit ctl_revoke_add(int argc, char **argv);
enum ctl_exit ctl_revoke_list(int argc, char **argv);
enum ctl_exit ctl_revoke_remove(int argc, char **argv);
enum ctl_exit ctl_kernel_kill(int argc, char **argv);
enum ctl_exit ctl_kernel_break_glass(int argc, char **argv);
enum ctl_exit ctl_map_list(int argc, char **argv);
enum ctl_exit ctl_map_get(int argc, char **argv);
enum ctl_exit ctl_map_export(int argc, char **argv);
enum ctl_exit ctl_map_plan(int argc, char **argv);
enum ctl_exit ctl_token_mint(int argc, char **argv);
enum ctl_exit ctl_token_jwk(int argc, char **argv);
enum ctl_exit ctl_policy_check(int argc, char **argv);
enum ctl_exit ctl_policy_explain(int argc, char **argv);
enum ctl_exit ctl_policy_diff(int argc, char **argv);
enum ctl_exit ctl_policy_simulate(int argc, char **argv);

#endif
