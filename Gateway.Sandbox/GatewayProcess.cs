using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Gateway.Sandbox;

/// <summary>The gateway itself, as a process of its own with a folder of its own.</summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    private static readonly ConcurrentDictionary<int, bool> _given = new();

    private readonly Process _process;

    /// <summary>Asked for once: a process object must not be asked by several threads.</summary>
    private readonly Task _exit;

    private GatewayProcess(Process process, Uri url, string folder) =>
        (_process, _exit, Url, Folder) = (process, process.WaitForExitAsync(), url, folder);

    public Uri Url { get; }

    /// <summary>Holds the configuration and the store.</summary>
    public string Folder { get; }

    public string ConfigFile => Path.Combine(Folder, "headtower.yaml");

    public int Id => _process.Id;

    public bool HasExited => _exit.IsCompleted;

    /// <summary>The arguments that run the gateway with the current SDK, whatever the folder.</summary>
    public static ProcessStartInfo Command(params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet") { UseShellExecute = false };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "gateway.dll"));
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var name in start.Environment.Keys.Where(one => one.StartsWith("HEADTOWER_", StringComparison.Ordinal)
            || one.StartsWith("HEADPLANE_", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }

        return start;
    }

    /// <summary>Starts the gateway with this configuration and waits until it answers.</summary>
    /// <param name="quiet">Whether its log is dropped instead of shown.</param>
    /// <param name="isBrief">Whether it lives for seconds, and so is not optimised by what it does.</param>
    public static async Task<GatewayProcess> StartAsync(
        string folder, string configuration, int port, bool quiet, CancellationToken cancel, bool isBrief = true)
    {
        var gateway = await SpawnAsync(folder, configuration, port, quiet, cancel, isBrief);
        try
        {
            await gateway.WaitUntilItAnswersAsync(cancel);
            return gateway;
        }
        catch
        {
            // Whatever ends the start ends the child, too.
            await gateway.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the gateway and does not wait for anything.</summary>
    public static async Task<GatewayProcess> SpawnAsync(
        string folder, string configuration, int port, bool quiet, CancellationToken cancel, bool isBrief = true)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "headtower.yaml"), configuration, cancel);
        var start = Command("serve", "--config", Path.Combine(folder, "headtower.yaml"));

        if (isBrief)
        {
            start.Environment["DOTNET_TieredPGO"] = "0";
        }

        start.RedirectStandardOutput = quiet;
        start.RedirectStandardError = quiet;
        var process = Process.Start(start)!;
        if (quiet)
        {
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
        }

        return new GatewayProcess(process, new Uri($"http://127.0.0.1:{port}"), folder);
    }

    /// <summary>
    /// A port that is free, and stays so while the gateway is down: none that outgoing connections are given, and none that was given
    /// to another part of this process, which may not listen on it yet.
    /// </summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(20_000, 32_000);
            if (!_given.TryAdd(port, true))
            {
                continue;
            }

            using var listener = new TcpListener(IPAddress.Loopback, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken; another one will do.
            }
        }
    }

    /// <summary>Sends SIGTERM.</summary>
    public void Terminate() => ProcessSignal.Terminate(_process);

    /// <summary>Sends SIGHUP.</summary>
    public void HangUp() => ProcessSignal.HangUp(_process);

    /// <summary>Sends SIGSTOP: it does nothing until it goes on.</summary>
    public void Pause() => ProcessSignal.Stop(_process);

    /// <summary>Sends SIGCONT.</summary>
    public void GoOn() => ProcessSignal.Continue(_process);

    /// <summary>Waits for its end; gives its status.</summary>
    public async Task<int> ExitCodeAsync()
    {
        await _exit;
        return _process.ExitCode;
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _exit;
    }

    public async ValueTask DisposeAsync()
    {
        if (!HasExited)
        {
            ProcessSignal.Terminate(_process);
            try
            {
                await _exit.WaitAsync(TimeSpan.FromSeconds(20));
            }
            catch (TimeoutException)
            {
                await KillAsync();
            }
        }

        _process.Dispose();
    }

    private async Task WaitUntilItAnswersAsync(CancellationToken cancel)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        for (var tries = 0; tries < 600; tries++)
        {
            if (HasExited)
            {
                throw new InvalidOperationException($"the gateway ended with {_process.ExitCode} while it was starting");
            }

            try
            {
                using var answer = await http.GetAsync(new Uri(Url, "/admin/readyz"), cancel);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (Exception e) when (e is HttpRequestException || (e is TaskCanceledException && !cancel.IsCancellationRequested))
            {
                // Not listening yet, or too busy to answer in time: one more try.
            }

            await timer.WaitForNextTickAsync(cancel);
        }

        throw new InvalidOperationException("the gateway did not become ready within 30 seconds");
    }
}
