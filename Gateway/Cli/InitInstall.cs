using System.Diagnostics;

namespace Gateway.Cli;

/// <summary>The units of systemd for this program where it is, and what they have to know of the answers.</summary>
/// <param name="answers">What <c>gateway init</c> was told.</param>
/// <param name="root">The root of the system to install into.</param>
internal sealed class InitInstall(InitAnswers answers, string root)
{
    private const string Units = "etc/systemd/system";

    /// <summary>How the unit starts this program.</summary>
    private static string Program => Path.GetFileNameWithoutExtension(Environment.ProcessPath) is "dotnet"
        ? $"{Environment.ProcessPath} {Path.Combine(AppContext.BaseDirectory, "gateway.dll")}"
        : Environment.ProcessPath ?? "";

    /// <summary>Why it cannot be installed; null: it can.</summary>
    public string? Complaint =>
        !OperatingSystem.IsLinux() ? "--install is for systems with systemd"
        : root is "/" && Array.Exists(
            ["/home/", "/root/", "/tmp/"], one => AppContext.BaseDirectory.StartsWith(one, StringComparison.Ordinal))
            ? $"the service may not read {AppContext.BaseDirectory}; move the program to /opt/headtower first"
        : null;

    /// <summary>The units, and the lines that differ from those of the package.</summary>
    public IReadOnlyList<(string Name, string Text, bool IsSecret)> Files =>
    [
        (In("headtower.service"), Unit(), false),
        (In("headtower.socket"), InitFiles.Read("systemd/headtower.socket"), false),
        (In("headtower.service.d/init.conf"), Service(), false),
        (In("headtower.socket.d/init.conf"), Socket(), false),
    ];

    /// <summary>Tells a running systemd that there are new units.</summary>
    public void Reload()
    {
        if (root is "/" && Directory.Exists("/run/systemd/system"))
        {
            using var reload = Process.Start("systemctl", ["daemon-reload"]);
            reload.WaitForExit();
        }
    }

    private string In(string name) => Path.Combine(root, Units, name);

    private static string Unit() =>
        InitFiles.Read("systemd/headtower.service").Replace("/usr/bin/gateway ", Program + " ", StringComparison.Ordinal);

    /// <summary>Secrets are handed over; without Headscale's socket, its group is not asked for.</summary>
    private string Service()
    {
        List<string> lines = ["# Written by 'gateway init'.", "[Service]"];
        lines.Add($"Environment=HEADTOWER_CONFIG={answers.ConfigFile}");
        if (answers.Key is not null)
        {
            lines.Add("SupplementaryGroups=");
            lines.Add($"LoadCredential=headscale-api-key:{Path.Combine(answers.Output, "headscale-api-key")}");
        }

        if (answers.SignsIn)
        {
            lines.Add($"LoadCredential=client-secret:{Path.Combine(answers.Output, "client-secret")}");
        }

        lines.AddRange(answers.Links.Select(one => $"LoadCredential={one.Name}:{Path.Combine(answers.Output, one.Name)}"));
        return string.Join('\n', lines) + "\n";
    }

    private string Socket() =>
        "# Written by 'gateway init'.\n[Socket]\nListenStream=\nListenStream="
        + (answers.IsAlone ? "443" : answers.Listen?.Authority ?? "127.0.0.1:3000") + "\n";
}
