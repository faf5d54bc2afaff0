using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Gateway.Sandbox;
using Gateway.Sandbox.StandIns;
using Gateway.Tests.Support;

namespace Gateway.Tests.Deploy;

/// <summary>
/// systemd with the two shipped units and nothing else: a container that has this machine's programs and network, and files of its own
/// that are gone with it. Headscale's key is handed over as the unit's comment says.
/// </summary>
internal sealed class SystemdContainer : IAsyncDisposable
{
    private readonly Process _process;
    private readonly TemporaryFolder _folder;

    private SystemdContainer(Process process, TemporaryFolder folder, int port) => (_process, _folder, Port) = (process, folder, port);

    /// <summary>Where the socket unit listens.</summary>
    public int Port { get; }

    public Uri Url => new($"http://127.0.0.1:{Port}");

    /// <param name="more">Further lines for the section Service.</param>
    /// <param name="server">Further settings of the section server.</param>
    /// <param name="socket">Further lines for the section Socket.</param>
    public static async Task<SystemdContainer> StartAsync(
        HeadscaleStandIn headscale, string more = "", string server = "", string socket = "")
    {
        var (folder, port) = (new TemporaryFolder(), GatewayProcess.FreePort());
        var container = new SystemdContainer(Process.Start(Start(folder, headscale, port, more, server, socket))!, folder, port);
        try
        {
            await Until.TrueAsync(container.IsListeningAsync, "systemd listens");
            await Until.TrueAsync(async () => (await container.ShowAsync("ActiveState"))[0] == "ActiveState=active", "the service runs");
            return container;
        }
        catch
        {
            await container.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a program beside systemd; gives what it said.</summary>
    public async Task<string> RunAsync(params string[] command)
    {
        var (status, said) = await ProgramRun.OfAsync(
            "nsenter", ["--target", $"{FindSystemd()}", "--mount", "--uts", "--ipc", "--pid", "--root", "--wd", "--", .. command]);
        status.Should().Be(0, said);
        return said.Trim();
    }

    /// <summary>What systemd knows of the service: <c>NAME=VALUE</c> for each.</summary>
    public async Task<string[]> ShowAsync(params string[] properties) =>
        (await RunAsync("systemctl", "show", "headtower.service", "--property", string.Join(',', properties))).Split('\n');

    public async ValueTask DisposeAsync()
    {
        // All processes of a PID namespace end with its first one, and the one outside ends after it (pid_namespaces(7)).
        if (FindSystemd() is { } systemd)
        {
            using var first = Process.GetProcessById(systemd);
            first.Kill();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Dispose();
    }

    /// <summary>systemd's process as this side numbers it; null: it has ended.</summary>
    private int? FindSystemd() => _process.HasExited ? null
        : int.Parse(
            File.ReadAllText($"/proc/{_process.Id}/task/{_process.Id}/children").Trim(), CultureInfo.InvariantCulture);

    private static ProcessStartInfo Start(
        TemporaryFolder folder, HeadscaleStandIn headscale, int port, string more, string server, string furtherSocket)
    {
        var settings = Path.Combine(folder.Path, "settings");
        Directory.CreateDirectory(settings);
        Certificates.Write(Path.Combine(settings, "tls-cert"), Path.Combine(settings, "tls-key"));
        FileModes.Set(Path.Combine(settings, "tls-key"), FileModes.OwnerOnly);
        File.WriteAllText(Path.Combine(settings, "headscale-api-key"), headscale.ApiKey);
        File.WriteAllText(
            Path.Combine(settings, "headtower.yaml"),
            $"headscale: {{url: '{headscale.Url.GetLeftPart(UriPartial.Authority)}', "
            + "api_key_path: '${CREDENTIALS_DIRECTORY}/headscale-api-key'}\n"
            + $"server: {{data_path: /var/lib/headtower, drain_seconds: 3, "
            + (server.Length > 0 ? $"{server}}}\n" : $"host: 127.0.0.1, port: {port}}}\n"));
        var units = Path.Combine(Front.Folder, "systemd");
        var socket = folder.File(
            "headtower.socket",
            File.ReadAllText(Path.Combine(units, "headtower.socket"))
                .Replace(":3000", $":{port}\n{furtherSocket}", StringComparison.Ordinal));
        var service = folder.File(
            "override.conf",
            "[Service]\nSupplementaryGroups=\nLoadCredential=headscale-api-key:/etc/headtower/headscale-api-key\n"
            + $"ExecStart=\nExecStart=/runtime/dotnet /program/gateway.dll serve\n{more}\n");
        folder.OpenToEverybody();
        return new(
            "systemd-nspawn",
            [
                "--quiet", "--directory=/", "--volatile=yes", "--boot", "--machine=headtower", "--register=no", "--keep-unit",
                "--resolv-conf=off", "--timezone=off", "--console=pipe",

                // With an identity it is no first start, which would switch on every service that this machine has.
                $"--bind-ro={folder.File("machine-id", $"{Guid.NewGuid():N}\n")}:/etc/machine-id",
                $"--bind-ro={Path.GetDirectoryName(Environment.ProcessPath)}:/runtime",
                $"--bind-ro={AppContext.BaseDirectory.TrimEnd('/')}:/program",
                $"--bind-ro={settings}:/etc/headtower",
                $"--bind-ro={socket}:/etc/systemd/system/headtower.socket",
                $"--bind-ro={Path.Combine(units, "headtower.service")}:/etc/systemd/system/headtower.service",
                $"--bind-ro={service}:/etc/systemd/system/headtower.service.d/override.conf",
                "--", "--unit=headtower.socket", "--show-status=no",
            ])
        { RedirectStandardInput = true };
    }

    private async Task<bool> IsListeningAsync()
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync("127.0.0.1", Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
