using System.Runtime.InteropServices;

namespace Gateway.Cli;

/// <summary>
/// The signals that a service is sent: SIGTERM, SIGINT and SIGQUIT end it in order, at any moment; SIGHUP asks it to read anew.
/// </summary>
internal sealed class Signals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<PosixSignalRegistration> _registrations = [];

    public Signals()
    {
        foreach (var signal in new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT })
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                _stop.Cancel();
            }));
        }

        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            HangUp?.Invoke();
        }));
    }

    /// <summary>Called for every SIGHUP, on a thread of the runtime's. Without it the signal has no effect.</summary>
    public Action? HangUp { get; set; }

    /// <summary>Cancelled when the process is to end.</summary>
    public CancellationToken Stop => _stop.Token;

    public void Dispose()
    {
        _registrations.ForEach(one => one.Dispose());
        _stop.Dispose();
    }
}
